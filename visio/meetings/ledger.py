"""Participants and mails of one meeting, or of one date: who answered what, whose mail went out. Two statements for all.

The rows that ask for something come first (a refused mail, a mail that waits, an answer to an earlier version); the
uneventful ones, accepted and sent, come last so that a page may fold them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from visio.meetings.models import Meeting, Occurrence

PAGE_SIZE = 50
SHOWN_BEFORE_FOLD = 10


@dataclass(frozen=True)
class LedgerRow:
    attendee_id: int
    attendee_public_id: str
    agent_id: int | None
    name: str
    email: str
    initials: str
    tint: int
    organisation: str
    role: str
    answer: str
    answered_at: dt.datetime | None
    answered_revision: int | None
    comment: str
    stale: bool  # the answer was given to an earlier hour
    delivery_id: int | None
    mail: str  # DeliveryState, or "" when no mail is owed (the organiser)
    mail_revision: int | None
    sent_at: dt.datetime | None
    due_at: dt.datetime | None
    attempts: int
    server_words: str
    quiet: bool  # nothing to look at: accepted and sent

    @property
    def waits(self) -> bool:
        return self.mail in ("owed", "sending")


@dataclass(frozen=True)
class Tallies:
    people: int
    accepted: int
    tentative: int
    declined: int
    unanswered: int
    sent: int
    waiting: int
    failed: int
    quiet: int


@dataclass(frozen=True)
class Ledger:
    tallies: Tallies
    rows: tuple[LedgerRow, ...]
    folded: int  # quiet rows of this page that were left out
    page: int
    pages: int

    @property
    def previous_page(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def next_page(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None


# The mail of each attendee that matters most: one that failed, one that waits, else the last. A row counts no more when it was
# superseded or when a later one tells the same date, or the whole meeting. One index look-up each and not a join of two large
# sets: its cost does not hang on statistics, which are missing right after a save. `id + 0` keeps the planner off the primary
# key, whose rows it would read backwards until one is this attendee's. For one date of a series: who is invited that day, with
# their answer to it.
_LINES = """
    WITH line AS (
        SELECT a.id, a.public_id, a.agent_id, a.email, a.name, a.role, COALESCE(e.answer, a.answer) AS answer,
               COALESCE(e.answered_at, a.answered_at) AS answered_at,
               COALESCE(e.answered_revision, a.answered_revision) AS answered_revision,
               CASE WHEN e.answer IS NULL THEN a.comment ELSE e.comment END AS comment,
               m.id AS delivery_id, COALESCE(m.state, '') AS mail, m.revision AS mail_revision, m.sent_at,
               m.due_at, COALESCE(m.attempts, 0) AS attempts, COALESCE(m.server_words, '') AS server_words,
               COALESCE(COALESCE(e.answered_revision, a.answered_revision) < %(moved)s, FALSE) AND a.role <> 'chair' AS stale
          FROM visio_attendee a
          LEFT JOIN visio_attendeeexception e ON e.attendee_id = a.id AND e.occurrence_id = %(occurrence)s
          LEFT JOIN LATERAL (
                SELECT d.id, d.state, d.revision, d.sent_at, d.due_at, d.attempts, d.server_words
                  FROM visio_delivery d
                 WHERE d.attendee_id = a.id AND d.state <> 'superseded'
                   AND (%(occurrence)s::bigint IS NULL OR d.recurrence_id IS NULL OR d.recurrence_id = %(date)s)
                   AND (d.state = 'sent' OR NOT EXISTS (
                        SELECT 1 FROM visio_delivery n
                         WHERE n.attendee_id = a.id AND n.id + 0 > d.id AND n.state <> 'superseded'
                           AND n.method <> 'DECLINECOUNTER'
                           AND (n.recurrence_id IS NULL OR n.recurrence_id = d.recurrence_id)))
                 ORDER BY array_position(ARRAY['failed', 'owed', 'sending'], d.state::text) NULLS LAST, d.id + 0 DESC
                 LIMIT 1
               ) m ON TRUE
         WHERE a.meeting_id = %(meeting)s
           AND (%(occurrence)s::bigint IS NULL OR (
                e.removed IS NOT TRUE AND (a.only_occurrence_id IS NULL OR a.only_occurrence_id = %(occurrence)s)))
    ), ranked AS (
        SELECT line.*,
               CASE WHEN mail = 'failed' THEN 0
                    WHEN mail IN ('owed', 'sending') AND server_words <> '' THEN 1
                    WHEN mail IN ('owed', 'sending') THEN 2
                    WHEN stale THEN 3
                    WHEN answer = 'tentative' THEN 4
                    WHEN answer = 'declined' THEN 5
                    WHEN role <> 'chair' AND answer = 'needs_action' THEN 6
                    WHEN comment <> '' THEN 7
                    WHEN role = 'chair' THEN 8
                    ELSE 9 END AS rank
          FROM line
    )
"""

_ROWS = "".join(
    (
        _LINES,
        """
    SELECT r.id, r.public_id::text, r.agent_id, g.given_name, g.usual_name, r.name, r.email,
           COALESCE(o.name, ''), r.role, r.answer, r.answered_at, r.answered_revision, r.comment, r.stale,
           r.delivery_id, r.mail, r.mail_revision, r.sent_at, r.due_at, r.attempts, r.server_words, r.rank = 9
      FROM ranked r
      LEFT JOIN agents_agent g ON g.id = r.agent_id
      LEFT JOIN agents_organisation o ON o.id = g.organisation_id
     ORDER BY r.rank, COALESCE(NULLIF(g.usual_name, ''), NULLIF(r.name, ''), r.email), r.id
     LIMIT %(limit)s OFFSET %(offset)s
""",
    )
)

_TALLIES = "".join(
    (
        _LINES,
        """
    SELECT count(*),
           count(*) FILTER (WHERE answer = 'accepted'),
           count(*) FILTER (WHERE answer = 'tentative'),
           count(*) FILTER (WHERE answer = 'declined'),
           count(*) FILTER (WHERE answer = 'needs_action'),
           count(*) FILTER (WHERE mail = 'sent'),
           count(*) FILTER (WHERE mail IN ('owed', 'sending')),
           count(*) FILTER (WHERE mail = 'failed'),
           count(*) FILTER (WHERE rank = 9)
      FROM ranked
""",
    )
)


def read_ledger(
    meeting: Meeting,
    *,
    moved_revision: int,
    page: int = 1,
    unfolded: bool = False,
    occurrence: Occurrence | None = None,
) -> Ledger:
    """One page of the ledger. `moved_revision`: the version that set today's hour; answers to lower ones are stale.

    `occurrence`: one date of a series, with who is invited that day and what they answered for it; None: the whole meeting.
    """
    is_date = occurrence is not None and occurrence.recurrence_id is not None
    values: dict[str, Any] = {
        "meeting": meeting.pk,
        "moved": moved_revision,
        "occurrence": occurrence.pk if occurrence is not None and is_date else None,
        "date": occurrence.recurrence_id if occurrence is not None else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TALLIES, values)
        tallies = Tallies(*cursor.fetchone())
        pages = max(1, -(-tallies.people // PAGE_SIZE))
        page = min(max(1, page), pages)
        cursor.execute(_ROWS, {**values, "limit": PAGE_SIZE, "offset": (page - 1) * PAGE_SIZE})
        rows = tuple(_row(*line) for line in cursor.fetchall())
    shown = rows if unfolded else _folded(rows)
    return Ledger(tallies, shown, len(rows) - len(shown), page, pages)


def _folded(rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    """Every row that asks for something, and quiet ones up to ten lines. One lone row is not worth folding."""
    kept = tuple(row for index, row in enumerate(rows) if not row.quiet or index < SHOWN_BEFORE_FOLD)
    return rows if len(rows) - len(kept) == 1 else kept


def _row(
    attendee_id: int,
    attendee_public_id: str,
    agent_id: int | None,
    given_name: str | None,
    usual_name: str | None,
    written_name: str,
    email: str,
    *rest: Any,
) -> LedgerRow:
    name = f"{given_name or ''} {usual_name or ''}".strip() if agent_id else written_name
    words = (name or email).split()
    initials = (words[0][:1] + words[-1][:1]).upper() if len(words) > 1 else (name or email)[:2].upper()
    tint = (agent_id if agent_id is not None else attendee_id) % 5
    return LedgerRow(
        attendee_id,
        attendee_public_id,
        agent_id,
        name or email,
        email,
        initials,
        tint,
        *rest,  # the statement's columns, in the dataclass's order
    )
