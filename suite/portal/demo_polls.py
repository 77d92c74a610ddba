"""Two date polls of the demonstration: one that Claire organises, half answered, and one that waits for her vote."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suite.agents.models import Agent
from suite.portal.demo_rites import CLAIRE, KARIM, LEA, SOPHIE, SUPPLIER
from visio.meetings.drafts import Invitee
from visio.meetings.models import Role
from visio.polls.drafts import PollDraft
from visio.polls.models import Choice, Poll
from visio.polls.opening import open_poll
from visio.polls.voting import vote

NAMESPACE = uuid.UUID("0b3d6a0e-4a55-5d0b-9a0c-5a4f1c7de2b1")
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NAMES = {SUPPLIER.email: SUPPLIER.name}
YES, MAYBE, NO = Choice.YES.value, Choice.IF_NEED_BE.value, Choice.NO.value


@dataclass(frozen=True)
class PlannedPoll:
    """`hours` are those of the working days from the Tuesday after next on; `votes` by address, in their order."""

    organiser: str
    title: str
    description: str
    minutes: int
    hours: tuple[dt.time, ...]
    people: tuple[str, ...]
    votes: Mapping[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()


POLLS = (
    PlannedPoll(
        organiser=CLAIRE,
        title="Séminaire d’équipe",
        description="Une demi-journée pour préparer l’année. Dites quand vous pouvez.",
        minutes=180,
        hours=(dt.time(9, 30), dt.time(14, 0), dt.time(9, 30), dt.time(14, 0)),
        people=(KARIM, SOPHIE, LEA),
        optional=(SUPPLIER.email,),
        votes={KARIM: (YES, NO, MAYBE, YES), SOPHIE: (MAYBE, NO, YES, YES)},
    ),
    PlannedPoll(
        organiser=KARIM,
        title="Recette du portail avec le prestataire",
        description="",
        minutes=60,
        hours=(dt.time(10, 0), dt.time(11, 0), dt.time(15, 30)),
        people=(CLAIRE, SUPPLIER.email),
        votes={SUPPLIER.email: (YES, MAYBE, NO)},
    ),
)


def load_demo_polls(agents: Mapping[str, Agent], *, now: dt.datetime) -> int:
    """Open this week's polls once, nobody is mailed; how many are new. `agents` by address."""
    monday = now.astimezone(PARIS).date() - dt.timedelta(days=now.astimezone(PARIS).weekday())
    return sum(_open(planned, agents, monday, now) for planned in POLLS if planned.organiser in agents)


def _open(planned: PlannedPoll, agents: Mapping[str, Agent], monday: dt.date, now: dt.datetime) -> bool:
    organiser = agents[planned.organiser]
    key = uuid.uuid5(NAMESPACE, f"{planned.organiser} {monday.isoformat()}")
    if Poll.objects.filter(organiser=organiser, creation_key=key).exists():
        return False
    tuesday = monday + dt.timedelta(days=15)
    draft = PollDraft(
        title=planned.title,
        dates=tuple(
            dt.datetime.combine(tuesday + dt.timedelta(days=number), hour) for number, hour in enumerate(planned.hours)
        ),
        time_zone="Europe/Paris",
        minutes=planned.minutes,
        description=planned.description,
        deadline=dt.datetime.combine(tuesday - dt.timedelta(days=5), dt.time(18, 0)),
        people=(*_people(planned.people, agents), *_people(planned.optional, agents, Role.OPTIONAL.value)),
        wants_tchap=False,
    )
    poll = open_poll(by=organiser, draft=draft, now=now, creation_key=key, is_demo=True)
    dates = [option.key for option in poll.options.all()]
    for participant in poll.participants.filter(email__in=planned.votes).select_related("poll"):
        choices = planned.votes[participant.email]
        vote(participant=participant, choices=dict(zip(dates, choices, strict=True)), now=now)
    return True


def _people(emails: Sequence[str], agents: Mapping[str, Agent], role: str = Role.REQUIRED.value) -> list[Invitee]:
    found = ((email, agents.get(email)) for email in emails)
    return [
        Invitee(
            email=email.lower(),
            name=agent.full_name if agent else NAMES.get(email, ""),
            agent_id=agent.pk if agent else None,
            role=role,
        )
        for email, agent in found
    ]
