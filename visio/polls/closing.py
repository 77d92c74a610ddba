"""How a poll ends: closed without a date, reopened, or turned into the meeting."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from suite.agents.models import Agent
from suite.core.events import publish
from visio.events import PollChanged
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Meeting, Role
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import wall_clock
from visio.polls import letters
from visio.polls.models import Poll, PollOption, PollStatus
from visio.polls.opening import locked
from visio.polls.refusals import ChoiceRefused, NotPollOrganiser, PollNotOpen


@transaction.atomic
def close_poll(*, poll: Poll, by: Agent, now: dt.datetime) -> Poll:
    """Take no more answers; whoever heard of the poll is told. Closing twice is closing once.

    Raises NotPollOrganiser, PollNotOpen (a date was chosen).
    """
    poll = _own(poll, by)
    if poll.status == PollStatus.CHOSEN:
        raise PollNotOpen(poll.status)
    if poll.status == PollStatus.OPEN:
        poll.status = PollStatus.CLOSED
        poll.save()
        never_heard = letters.withdraw_unsent(poll)
        heard = poll.participants.exclude(pk__in=never_heard).select_related("agent")
        letters.owe_closed(poll=poll, people=heard, now=now)
        publish(PollChanged(poll_id=poll.pk))
    return poll


@transaction.atomic
def reopen_poll(*, poll: Poll, by: Agent, now: dt.datetime) -> Poll:
    """Take answers again, and say so. A deadline that has passed is lifted.

    A poll whose date was chosen reopens once its meeting is cancelled or gone. Raises NotPollOrganiser, PollNotOpen.
    """
    poll = _own(poll, by)
    if not may_reopen(poll):
        raise PollNotOpen(poll.status)
    poll.status, poll.meeting = PollStatus.OPEN, None
    if poll.deadline is not None and poll.deadline <= now:
        poll.deadline = None
    poll.save()
    poll.options.filter(is_chosen=True).update(is_chosen=False)
    letters.withdraw_unsent(poll)
    letters.owe_reopened(poll=poll, people=poll.participants.select_related("agent"), now=now)
    poll.participants.update(asked_at=now)
    publish(PollChanged(poll_id=poll.pk))
    return poll


def may_reopen(poll: Poll) -> bool:
    """Whether reopening would be taken: closed, or the chosen date's meeting is no more. One query at most."""
    if poll.status != PollStatus.CHOSEN:
        return poll.status == PollStatus.CLOSED
    return poll.meeting is None or poll.meeting.is_cancelled


@transaction.atomic
def choose_date(*, poll: Poll, key: str, by: Agent, now: dt.datetime) -> Meeting:
    """Turn the date called `key` (PollOption.key) into the meeting, with everybody who was asked; they are invited to it.

    Choosing the same date again gives the same meeting. Raises NotPollOrganiser, ChoiceRefused, and what
    visio.meetings.scheduling.schedule_meeting raises.
    """
    poll = _own(poll, by)
    option = next((one for one in poll.options.all() if one.key == key), None)
    if poll.status == PollStatus.CHOSEN and poll.meeting is not None:
        if option is not None and option.is_chosen:
            return poll.meeting
        raise ChoiceRefused("chosen")
    if option is None:
        raise ChoiceRefused("unknown_date")
    if option.starts_at <= now:
        raise ChoiceRefused("past")
    meeting = schedule_meeting(by=by, draft=_meeting_draft(poll, option), now=now, is_demo=poll.is_demo)
    poll.options.filter(is_chosen=True).update(is_chosen=False)
    option.is_chosen = True
    option.save(update_fields=["is_chosen"])
    poll.status, poll.meeting = PollStatus.CHOSEN, meeting
    poll.save()
    # The meeting's own invitation says all: reminders that have not gone would only contradict it.
    letters.withdraw_unsent(poll)
    publish(PollChanged(poll_id=poll.pk))
    return meeting


def _own(poll: Poll, by: Agent) -> Poll:
    found = locked(poll)
    if found.organiser_id != by.pk:
        raise NotPollOrganiser
    return found


def _meeting_draft(poll: Poll, option: PollOption) -> MeetingDraft:
    date, time = wall_clock(option.starts_at, poll.time_zone)
    people = poll.participants.exclude(agent__is_active=False).select_related("agent")
    return MeetingDraft(
        title=poll.title,
        start_date=date,
        start_time=time,
        time_zone=poll.time_zone,
        minutes=poll.minutes,
        description=poll.description,
        place=poll.place,
        wants_room=poll.wants_room,
        wants_tchap=poll.wants_tchap,
        attendees=tuple(
            Invitee(
                email=person.agent.email.lower() if person.agent else person.email,
                name=person.name,
                agent_id=person.agent_id,
                role=(Role.REQUIRED if person.is_required else Role.OPTIONAL).value,
            )
            for person in people
        ),
    )
