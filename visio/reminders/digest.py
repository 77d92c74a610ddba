"""The morning mail: an agent's meetings of the day, once a day, at the hour they chose on their own clock."""

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

from suite.agents.models import Agent
from suite.mail.letter import Button, Fact, Section
from suite.mail.to_agent import owe_letter
from visio.meetings import words
from visio.meetings.models import Answer, Attendee
from visio.meetings.queries import Entry, agenda
from visio.reminders.models import Digest
from visio.reminders.unsubscribing import unsubscribe_url

# A digest that is later than this is no morning mail any more.
LATEST = dt.timedelta(hours=4)
BATCH = 100

# Agents whose chosen hour has come on their own clock and who have had no digest for that day.
_DUE = """
SELECT a.id, local.at::date
  FROM agents_agent a
 CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE a.time_zone) AS at) local
 WHERE a.wants_digest AND a.is_active
   AND local.at::time >= a.digest_time AND local.at < (local.at::date + a.digest_time) + %(latest)s
   AND NOT EXISTS (SELECT FROM visio_digest d WHERE d.agent_id = a.id AND d.day = local.at::date)
 ORDER BY a.id
 LIMIT %(limit)s
"""


def make_digests(*, now: dt.datetime, limit: int = BATCH) -> int:
    """Owe the digests whose hour has come; how many agents were served. Safe to repeat and to run twice at once."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"now": now, "latest": LATEST, "limit": limit}
        cursor.execute(_DUE, values)
        due = cursor.fetchall()
    agents = Agent.objects.in_bulk([agent_id for agent_id, _day in due])
    for agent_id, day in due:
        _make(agents[agent_id], day, now)
    return len(due)


@transaction.atomic
def _make(agent: Agent, day: dt.date, now: dt.datetime) -> None:
    _row, is_new = Digest.objects.get_or_create(agent=agent, day=day, defaults={"made_at": now})
    if not is_new:
        return
    zone = zoneinfo.ZoneInfo(agent.time_zone)
    start = dt.datetime.combine(day, dt.time(), zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    entries = [
        entry
        for entry in agenda([agent.pk], start.astimezone(dt.UTC), end.astimezone(dt.UTC), agent)
        if entry.answer != Answer.DECLINED
    ]
    if not entries:
        # A free day needs no mail; the row says that it was looked at.
        return
    waiting = _waiting(agent, now)
    stop = unsubscribe_url(agent.pk, "digest")
    with translation.override(agent.language):
        shown = words.full_day(day)
        count = ngettext("%(count)d réunion", "%(count)d réunions", len(entries)) % {"count": len(entries)}
        subject = _("Votre journée : %(count)s, %(day)s") % {"count": count, "day": words.short_day(day, today=day)}
        paragraphs = []
        if waiting:
            said = ngettext(
                "%(count)d invitation attend votre réponse.", "%(count)d invitations attendent votre réponse.", waiting
            )
            paragraphs.append(said % {"count": waiting})
        owe_letter(
            agent,
            key=f"digest:{agent.pk}:{day.isoformat()}",
            kind="digest",
            due_at=now,
            subject=subject,
            kicker=_("Votre journée"),
            title=shown,
            paragraphs=paragraphs,
            sections=[Section(count, [_line(entry, agent) for entry in entries])],
            buttons=[Button(_("Ouvrir le tableau de bord"), f"{settings.PORTAL_URL}/")],
            unsubscribe_url=stop,
            useless_after=end,
        )


def _waiting(agent: Agent, now: dt.datetime) -> int:
    return Attendee.objects.unanswered_by(agent, now=now).count()


def _line(entry: Entry, agent: Agent) -> Fact:
    label = _("Journée") if entry.is_all_day else words.hours(entry.starts_at, entry.ends_at, agent.time_zone)
    title = f"{entry.title} ({entry.place})" if entry.place else entry.title
    if entry.answer == Answer.NEEDS_ACTION:
        title = _("%(title)s, sans réponse de votre part") % {"title": title}
    url = ""
    if entry.public_id is not None:
        url = f"{settings.PORTAL_URL}{reverse('meetings:detail', args=[entry.public_id])}"
        url = f"{url}?date={entry.recurrence_key}" if entry.recurrence_key else url
    return Fact(label, title, url)
