"""Make polls for a test, through the portal's own operations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from suite.agents.models import Agent
from suite.mail.models import OutboxMail
from tests import factories
from visio.meetings.wallclock import wall_clock
from visio.polls.drafts import PollDraft
from visio.polls.models import Choice, Poll, PollOption, PollParticipant
from visio.polls.opening import open_poll
from visio.polls.voting import vote

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ANNE, BOB = "anne@partenaire.example", "bob@partenaire.example"
YES, MAYBE, NO = Choice.YES.value, Choice.IF_NEED_BE.value, Choice.NO.value


def wall(at: dt.datetime, zone: str = "Europe/Paris") -> dt.datetime:
    return dt.datetime.combine(*wall_clock(at.replace(second=0, microsecond=0), zone))


def poll_draft(
    people: Sequence[Agent | str] = (),
    *,
    now: dt.datetime,
    days: Sequence[float] = (7, 8, 9),
    deadline_in: dt.timedelta | None = None,
    **fields: Any,
) -> PollDraft:
    """A valid draft: an hour, at this hour in so many days."""
    zone = fields.setdefault("time_zone", "Europe/Paris")
    fields.setdefault("title", "Comité de suivi")
    fields.setdefault("minutes", 60)
    fields.setdefault("dates", tuple(wall(now + dt.timedelta(days=day), zone) for day in days))
    fields.setdefault("people", tuple(factories.invitee(person) for person in people))
    if deadline_in is not None:
        fields["deadline"] = wall(now + deadline_in, zone)
    return PollDraft(**fields)


def poll(
    organiser: Agent | None = None,
    people: Sequence[Agent | str] = ("anne@partenaire.example",),
    *,
    now: dt.datetime | None = None,
    **fields: Any,
) -> Poll:
    made_at = now or timezone.now()
    return open_poll(by=organiser or factories.agent(), draft=poll_draft(people, now=made_at, **fields), now=made_at)


def keys(poll: Poll) -> list[str]:
    return [option.key for option in PollOption.objects.filter(poll=poll)]


def person(poll: Poll, who: Agent | str) -> PollParticipant:
    if isinstance(who, Agent):
        return PollParticipant.objects.select_related("poll").get(poll=poll, agent=who)
    return PollParticipant.objects.select_related("poll").get(poll=poll, email=who)


def answered(poll: Poll, who: Agent | str, *choices: str, now: dt.datetime | None = None) -> PollParticipant:
    """`who` answers the dates in order."""
    return vote(
        participant=person(poll, who),
        choices=dict(zip(keys(poll), choices, strict=True)),
        now=now or timezone.now(),
    )


def owed(what: str) -> list[str]:
    """To whom letters of that kind are owed."""
    rows = OutboxMail.objects.filter(key__contains=f":{what}:", state="owed").order_by("recipient")
    return list(rows.values_list("recipient", flat=True))
