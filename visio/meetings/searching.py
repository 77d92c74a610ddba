"""Search among one's own meetings (DATA, trap 9): first the agent's own, through both arms and in a window, then the words.

A word is found in the title, the description and the place (the whole word in its French forms, or a beginning of it), in what
one date of a series says of its own (for those who are invited to it), and in people's names and addresses. Neither case nor
accents matter. A series is found once, with its next date.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from suite.agents.folding import fold
from suite.agents.models import Agent
from visio.meetings.models import LONGEST

# Without a period: what people look for lies here.
BACK, AHEAD = dt.timedelta(days=730), dt.timedelta(days=730)
MOST_WORDS = 8
PAGE_SIZE = 20
_SNIPPET = 90


@dataclass(frozen=True)
class Filters:
    """`start` and `end`: the period. `person` and `place`: folded words that must be there too."""

    start: dt.datetime
    end: dt.datetime
    organised: bool = False
    person: str = ""
    place: str = ""


@dataclass(frozen=True)
class FoundMeeting:
    public_id: uuid.UUID
    title: str
    place: str
    description: str
    organiser: str
    is_cancelled: bool
    is_series: bool
    is_all_day: bool
    time_zone: str
    recurrence_key: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_over: bool


@dataclass(frozen=True)
class FoundPage:
    meetings: tuple[FoundMeeting, ...]
    total: int


_PEOPLE = """EXISTS (
    SELECT FROM visio_attendee p LEFT JOIN agents_agent g ON g.id = p.agent_id
     WHERE p.meeting_id = m.id
       AND (g.search_name ~ {word} OR (g.id IS NULL AND lower(unaccent(p.name || ' ' || p.email)) ~ {word}))
)"""
_ONE_DATE = """EXISTS (
    SELECT FROM visio_occurrence v
     WHERE v.meeting_id = m.id AND v.is_override
       AND (mine.only_occurrence_id IS NULL OR mine.only_occurrence_id = v.id)
       AND NOT EXISTS (SELECT FROM visio_attendeeexception z
                        WHERE z.occurrence_id = v.id AND z.attendee_id = mine.id AND z.removed)
       AND lower(unaccent(concat_ws(' ', v.title, v.place, v.description))) ~ {word}
)"""
_SEARCH = """
WITH mine AS MATERIALIZED (
    SELECT att.id, att.meeting_id, att.only_occurrence_id FROM visio_attendee att
     WHERE NOT att.is_series AND att.agent_id = %(agent)s::bigint
       AND att.starts_at >= %(back)s AND att.starts_at < %(end)s AND att.ends_at > %(start)s
    UNION ALL
    SELECT att.id, att.meeting_id, att.only_occurrence_id FROM visio_attendee att
     WHERE att.is_series AND att.agent_id = %(agent)s::bigint AND att.ends_at > %(start)s AND att.starts_at < %(end)s
)
SELECT m.public_id, COALESCE(d.title, m.title), COALESCE(d.place, m.place), COALESCE(d.description, m.description),
       trim(chair.given_name || ' ' || chair.usual_name), m.status = 'cancelled' OR d.status = 'cancelled',
       m.is_series, m.is_all_day, m.time_zone,
       COALESCE(to_char(d.recurrence_id AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'), ''),
       d.starts_at, d.ends_at, d.ends_at <= %(now)s, count(*) OVER ()
  FROM mine
  JOIN visio_meeting m ON m.id = mine.meeting_id
  JOIN agents_agent chair ON chair.id = m.organiser_id
  JOIN LATERAL (
        SELECT o.* FROM visio_occurrence o
          LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = mine.id
         WHERE o.meeting_id = m.id AND o.starts_at >= %(back)s AND o.starts_at < %(end)s AND o.ends_at > %(start)s
           AND (mine.only_occurrence_id IS NULL OR mine.only_occurrence_id = o.id) AND x.removed IS NOT TRUE
         ORDER BY o.status = 'cancelled', o.ends_at <= %(now)s, abs(extract(epoch FROM o.starts_at - %(now)s))
         LIMIT 1
       ) d ON TRUE
 WHERE {conditions}
 ORDER BY d.ends_at <= %(now)s, abs(extract(epoch FROM d.starts_at - %(now)s)), m.id
 LIMIT %(limit)s OFFSET %(offset)s
"""


def words_of(text: str) -> list[str]:
    """Folded words of letters and digits: what is left cannot carry an operator."""
    return "".join(character if character.isalnum() else " " for character in fold(text)).split()[:MOST_WORDS]


def search_meetings(
    agent: Agent, text: str, *, filters: Filters, now: dt.datetime, page: int = 1, page_size: int = PAGE_SIZE
) -> FoundPage:
    """Those of `agent` (and of nobody else) that hold every word: nearest in time first, past ones last. One statement."""
    words = words_of(text)
    if text.strip() and not words:
        return FoundPage((), 0)
    values: dict[str, str | int | dt.datetime] = {
        "agent": agent.pk,
        "now": now,
        "start": filters.start,
        "end": filters.end,
        "back": filters.start - LONGEST,
        "limit": page_size,
        "offset": (page - 1) * page_size,
    }
    conditions = ["TRUE"]
    for number, word in enumerate(words):
        values |= {f"prefix{number}": f"{word}:*", f"word{number}": word, f"begin{number}": rf"\m{word}"}
        begin = f"%(begin{number})s"
        conditions.append(
            f"(m.search @@ (to_tsquery('simple', %(prefix{number})s) || plainto_tsquery('french', %(word{number})s))"
            f" OR {_PEOPLE.format(word=begin)} OR {_ONE_DATE.format(word=begin)})"
        )
    if filters.organised:
        conditions.append("m.organiser_id = %(agent)s::bigint")
    for number, word in enumerate(words_of(filters.person)):
        values[f"person{number}"] = rf"\m{word}"
        conditions.append(_PEOPLE.format(word=f"%(person{number})s"))
    for number, word in enumerate(words_of(filters.place)):
        values[f"place{number}"] = rf"\m{word}"
        conditions.append(f"lower(unaccent(COALESCE(d.place, m.place))) ~ %(place{number})s")
    with connection.cursor() as cursor:
        # Every condition is made of constants of this module; what people typed is in `values`.
        cursor.execute(_SEARCH.replace("{conditions}", "\n   AND ".join(conditions)), values)
        rows = cursor.fetchall()
    return FoundPage(tuple(FoundMeeting(*row[:-1]) for row in rows), rows[0][-1] if rows else 0)


def marked(text: str, words: Sequence[str]) -> SafeString:
    """`text` escaped, with the words that were searched (or words that begin with them) in <mark>."""
    pieces: list[tuple[str, bool]] = []
    piece = ""
    for character in text:
        if piece and character.isalnum() != piece[-1].isalnum():
            pieces.append((piece, _is_searched(piece, words)))
            piece = ""
        piece += character
    if piece:
        pieces.append((piece, _is_searched(piece, words)))
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", part) if hit else part,) for part, hit in pieces)
    )


def snippet(text: str, words: Sequence[str]) -> str:
    """The part of a long text around the first word that was searched; "" when none is in it."""
    position = 0
    for token in text.split():
        position = text.find(token, position)
        if any(_is_searched(part, words) for part in "".join(c if c.isalnum() else " " for c in token).split()):
            start, end = max(0, position - _SNIPPET), position + len(token) + _SNIPPET
            before, after = "… " if start else "", " …" if end < len(text) else ""
            return f"{before}{' '.join(text[start:end].split())}{after}"
        position += len(token)
    return ""


def _is_searched(piece: str, words: Sequence[str]) -> bool:
    folded = fold(piece)
    return bool(folded) and any(folded.startswith(word) for word in words)
