"""Reminders: which are due, and saying them. Exactly once each: a row is made by its key and marked in one transaction.

The clock may jump by an hour and two Beats may run: planning looks back further than that and makes no row twice; a row
that is done stays done, whatever the clock says next.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.live import push
from suite.mail.letter import Button, Fact
from suite.mail.to_agent import owe_letter
from visio.meetings import words
from visio.meetings.dates import occurrence_key
from visio.meetings.tokens import join_url
from visio.reminders.models import Reminder
from visio.reminders.unsubscribing import unsubscribe_url

# What an agent may choose, in minutes before the start.
CHOICES = (5, 10, 15, 30, 60, 120, 1440, 2880)
TOPIC = "reminders"
BATCH = 200
# Rows are made this long before they are due, and still when they were due that long ago (a worker was away, a clock jumped).
AHEAD = dt.timedelta(minutes=5)
BEHIND = dt.timedelta(minutes=90)
# A date that has begun needs no reminder; but a clock that is an hour fast only thinks so. By then it is over for good.
GIVEN_UP = dt.timedelta(hours=2)

# One arm for each choice: a short range of the index on starts_at. Who was invited after the moment of the reminder has the
# invitation itself for one; a date that has begun needs none.
_PLAN = """
INSERT INTO visio_reminder (agent_id, occurrence_id, starts_at, minutes, due_at, by_email)
SELECT DISTINCT a.id, o.id, o.starts_at, choice.minutes, o.starts_at - choice.minutes * interval '1 minute',
       a.reminds_by_email
  FROM unnest(%(choices)s::int[]) AS choice (minutes)
  JOIN visio_occurrence o
    ON o.starts_at > GREATEST(%(now)s, %(now)s - %(behind)s + choice.minutes * interval '1 minute')
   AND o.starts_at <= %(now)s + %(ahead)s + choice.minutes * interval '1 minute'
   AND o.status = 'confirmed'
  JOIN visio_meeting m ON m.id = o.meeting_id AND m.status = 'confirmed'
   AND m.created_at <= o.starts_at - choice.minutes * interval '1 minute'
  JOIN visio_attendee att ON att.meeting_id = o.meeting_id
   AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
  JOIN agents_agent a ON a.id = att.agent_id AND a.is_active AND choice.minutes = ANY (a.reminder_minutes)
  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
 WHERE COALESCE(x.answer, att.answer) <> 'declined' AND x.removed IS NOT TRUE
    ON CONFLICT DO NOTHING
"""

# Whether a reminder still says something true.
_WANTED = """
SELECT r.id
  FROM visio_reminder r
  JOIN visio_occurrence o ON o.id = r.occurrence_id AND o.status = 'confirmed' AND o.starts_at = r.starts_at
  JOIN visio_meeting m ON m.id = o.meeting_id AND m.status = 'confirmed'
  JOIN agents_agent a ON a.id = r.agent_id AND a.is_active
  JOIN visio_attendee att ON att.meeting_id = m.id AND att.agent_id = r.agent_id
   AND (att.only_occurrence_id IS NULL OR att.only_occurrence_id = o.id)
  LEFT JOIN visio_attendeeexception x ON x.occurrence_id = o.id AND x.attendee_id = att.id
 WHERE r.id = ANY (%(ids)s::bigint[]) AND COALESCE(x.answer, att.answer) <> 'declined' AND x.removed IS NOT TRUE
"""


def plan_reminders(*, now: dt.datetime) -> int:
    """Make the rows of the reminders that are due soon; how many are new. Safe to repeat and to run twice at once."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"choices": list(CHOICES), "now": now, "ahead": AHEAD, "behind": BEHIND}
        cursor.execute(_PLAN, values)
        return int(cursor.rowcount)


def say_due(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Say the reminders whose time has come, in the portal and by mail; how many rows were dealt with."""
    with transaction.atomic():
        _give_up(now)
        due = Reminder.objects.filter(done_at=None, due_at__lte=now, starts_at__gt=now).order_by("due_at", "pk")
        rows = list(
            due.select_for_update(of=("self",), skip_locked=True).select_related(
                "agent", "occurrence__meeting__organiser", "occurrence__meeting__room"
            )[:limit]
        )
        wanted = _still_true([row.pk for row in rows])
        said: set[int] = set()
        for row in rows:
            # One that says nothing true is done too: it must not come back.
            if row.pk in wanted:
                said.add(row.agent_id)
                if row.by_email:
                    _mail(row, now)
            else:
                row.dismissed_at = now
            row.done_at = now
        Reminder.objects.bulk_update(rows, ["done_at", "dismissed_at"])
        if said:
            transaction.on_commit(lambda: push.nudge(said, TOPIC))
    return len(rows)


def _give_up(now: dt.datetime) -> None:
    """What was not said in time is done: it must not come back."""
    late = Reminder.objects.filter(done_at=None, due_at__lte=now, starts_at__lte=now - GIVEN_UP).order_by("pk")
    ids = late.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:BATCH]
    Reminder.objects.filter(pk__in=list(ids)).update(done_at=now, dismissed_at=now)


def shown_to(agent_id: int, *, now: dt.datetime) -> list[Reminder]:
    """The reminders that stand on this agent's pages now, soonest first: one a date, the latest."""
    rows = (
        Reminder.objects.filter(agent=agent_id, dismissed_at=None, done_at__isnull=False, starts_at__gt=now)
        .select_related("occurrence__meeting__room", "occurrence__meeting__organiser")
        .order_by("occurrence_id", "minutes")
        .distinct("occurrence")
    )
    wanted = _still_true([row.pk for row in rows])
    return sorted((row for row in rows if row.pk in wanted), key=lambda row: (row.starts_at, row.pk))


def dismiss(*, agent_id: int, reminder_id: int, now: dt.datetime) -> bool:
    """Close a reminder and the earlier ones of the same date; False when it is not this agent's."""
    row = Reminder.objects.filter(pk=reminder_id, agent=agent_id).first()
    if row is None:
        return False
    same = Reminder.objects.filter(agent=agent_id, occurrence=row.occurrence_id, dismissed_at=None)
    same.filter(done_at__isnull=False).update(dismissed_at=now)
    push.nudge([agent_id], TOPIC)
    return True


def _still_true(ids: list[int]) -> set[int]:
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_WANTED, {"ids": ids})
        return {row_id for (row_id,) in cursor.fetchall()}


def _mail(row: Reminder, now: dt.datetime) -> None:
    agent, occurrence = row.agent, row.occurrence
    meeting = occurrence.meeting
    with translation.override(agent.language):
        title = occurrence.title or meeting.title
        start = words.local(row.starts_at, agent.time_zone)
        when = words.full_day(start.date()) + ", " + words.hours(row.starts_at, occurrence.ends_at, agent.time_zone)
        if meeting.is_all_day:
            when = words.full_day(row.starts_at.astimezone(zoneinfo.ZoneInfo(meeting.time_zone)).date())
        place = meeting.place if occurrence.place is None else occurrence.place
        join = join_url(meeting)
        facts = [Fact(_("Lieu"), place)] if place else []
        facts.append(Fact(_("Organisation"), meeting.organiser.full_name))
        page = f"{settings.PORTAL_URL}{reverse('meetings:detail', args=[meeting.public_id])}"
        key = occurrence_key(occurrence)
        page = f"{page}?date={key}" if key else page
        stop = unsubscribe_url(agent.pk, "reminders")
        subject = _("Rappel : %(title)s, %(left)s") % {"title": title, "left": left_words(row.minutes)}
        owe_letter(
            agent,
            key=f"reminder:{row.pk}",
            kind="reminder",
            due_at=now,
            subject=subject,
            kicker=_("Rappel"),
            title=title,
            paragraphs=[_("Cette réunion commence %(left)s.") % {"left": left_words(row.minutes)}],
            when=when,
            facts=facts,
            buttons=[*([Button(_("Rejoindre la visio"), join)] if join else []), Button(_("Voir la réunion"), page)],
            unsubscribe_url=stop,
            useless_after=row.starts_at,
        )


def left_words(minutes: int) -> str:
    """ "dans 10 minutes", "dans une heure", "dans deux jours" in the current language."""
    if minutes % 1440 == 0:
        days = minutes // 1440
        return ngettext("dans %(count)d jour", "dans %(count)d jours", days) % {"count": days}
    if minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("dans %(count)d heure", "dans %(count)d heures", hours) % {"count": hours}
    return ngettext("dans %(count)d minute", "dans %(count)d minutes", minutes) % {"count": minutes}
