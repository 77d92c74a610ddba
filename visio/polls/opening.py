"""Open a poll and change what it asks: one transaction writes the rows and the e-mails owed, then tells."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import IntegrityError, transaction

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.plain import clean_text, one_line
from visio.events import PollChanged, PollPeopleRemoved
from visio.meetings.drafts import NAME_LENGTH, Invitee, is_organiser
from visio.meetings.models import Role
from visio.polls import letters
from visio.polls.drafts import PollDraft, find_faults
from visio.polls.models import Poll, PollOption, PollParticipant, PollStatus
from visio.polls.refusals import NotPollOrganiser, PollConflict, PollNotOpen, PollRefused
from visio.polls.tokens import new_link


def open_poll(
    *, by: Agent, draft: PollDraft, now: dt.datetime, creation_key: uuid.UUID | None = None, is_demo: bool = False
) -> Poll:
    """Ask these people about these dates; their invitations are owed.

    The same `creation_key` of the same agent gives the poll it first made, also when both arrive at once.
    Raises PollRefused.
    """
    key = creation_key or uuid.uuid4()
    made = Poll.objects.filter(organiser=by, creation_key=key).first()
    if made is not None:
        return made
    faults = find_faults(draft, now=now)
    if faults:
        raise PollRefused(faults)
    try:
        return _create(by=by, draft=draft, now=now, key=key, is_demo=is_demo)
    except IntegrityError as error:
        # Two posts of one form at once: the loser waited on the unique index and finds the winner's poll.
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) != "poll_once_per_form":
            raise
        return Poll.objects.get(organiser=by, creation_key=key)


@transaction.atomic
def _create(*, by: Agent, draft: PollDraft, now: dt.datetime, key: uuid.UUID, is_demo: bool) -> Poll:
    poll = Poll(organiser=by, creation_key=key, is_demo=is_demo)
    _write(poll, draft)
    PollOption.objects.bulk_create(_option(poll, starts_at) for starts_at in draft.starts())
    people = _add_people(poll, draft.people, now=now)
    if not is_demo:
        letters.owe_invitations(poll=poll, people=people, now=now)
    publish(PollChanged(poll_id=poll.pk))
    return poll


@transaction.atomic
def edit_poll(*, poll: Poll, by: Agent, draft: PollDraft, now: dt.datetime, seen: dt.datetime | None = None) -> Poll:
    """Make an open poll what `draft` says. Votes for dates that stay are kept; who is new is invited.

    Whoever had answered is asked to complete when dates are added. `seen`: the `changed_at` that the form showed.
    Raises NotPollOrganiser, PollNotOpen, PollConflict, PollRefused.
    """
    poll = locked(poll)
    if poll.organiser_id != by.pk:
        raise NotPollOrganiser
    if poll.status != PollStatus.OPEN:
        raise PollNotOpen(poll.status)
    if seen is not None and seen != poll.changed_at:
        raise PollConflict
    options = {option.starts_at: option for option in poll.options.all()}
    faults = find_faults(draft, now=now, kept=options.keys(), kept_deadline=poll.deadline)
    if faults:
        raise PollRefused(faults)
    _write(poll, draft)
    added = _change_dates(poll, draft, options)
    known, new, removed = _change_people(poll, draft, now=now)
    letters.owe_invitations(poll=poll, people=new, now=now)
    if added:
        PollParticipant.objects.filter(pk__in=[person.pk for person in known]).update(answered_at=None, asked_at=now)
        letters.owe_new_dates(poll=poll, people=known, now=now)
    if removed:
        publish(PollPeopleRemoved(poll_id=poll.pk, agent_ids=tuple(removed)))
    publish(PollChanged(poll_id=poll.pk))
    return poll


def locked(poll: Poll) -> Poll:
    """The poll as it is now; whoever else changes it or votes waits until this transaction ends."""
    return Poll.objects.select_for_update(of=("self",)).select_related("organiser__organisation").get(pk=poll.pk)


def _write(poll: Poll, draft: PollDraft) -> None:
    poll.title = one_line(draft.title)
    poll.description = clean_text(draft.description)
    poll.place = one_line(draft.place)
    poll.minutes = draft.minutes
    poll.time_zone = draft.time_zone
    poll.deadline = draft.deadline_at()
    poll.shows_votes = draft.shows_votes
    poll.wants_room = draft.wants_room
    poll.wants_tchap = draft.wants_tchap
    poll.save()


def _option(poll: Poll, starts_at: dt.datetime) -> PollOption:
    return PollOption(poll=poll, starts_at=starts_at, ends_at=starts_at + dt.timedelta(minutes=poll.minutes))


def _change_dates(poll: Poll, draft: PollDraft, options: dict[dt.datetime, PollOption]) -> int:
    """Write the dates; how many are new."""
    wanted = draft.starts()
    PollOption.objects.filter(poll=poll).exclude(starts_at__in=wanted).delete()
    for starts_at in wanted:
        option = options.get(starts_at)
        ends_at = starts_at + dt.timedelta(minutes=poll.minutes)
        if option is not None and option.ends_at != ends_at:
            option.ends_at = ends_at
            option.save(update_fields=["ends_at"])
    new = [starts_at for starts_at in wanted if starts_at not in options]
    PollOption.objects.bulk_create(_option(poll, starts_at) for starts_at in new)
    return len(new)


def _change_people(
    poll: Poll, draft: PollDraft, *, now: dt.datetime
) -> tuple[list[PollParticipant], list[PollParticipant], list[int]]:
    """(who stays, who is new, ids of the agents who go)."""
    wanted = {person.email: person for person in draft.people if not is_organiser(person, poll.organiser)}
    by_agent = {person.agent_id: person for person in wanted.values() if person.agent_id is not None}
    known: list[PollParticipant] = []
    removed: list[int] = []
    met: set[str] = set()
    for participant in poll.participants.select_related("agent"):
        # An agent whose address changed is the same person.
        invitee = wanted.get(participant.email) or by_agent.get(participant.agent_id or 0)
        if invitee is None:
            removed += [participant.agent_id] if participant.agent_id is not None else []
            letters.forget(participant)
            participant.delete()
            continue
        met.add(invitee.email)
        if participant.is_required != (invitee.role != Role.OPTIONAL):
            participant.is_required = not participant.is_required
            participant.save(update_fields=["is_required"])
        known.append(participant)
    new = _add_people(poll, [person for person in wanted.values() if person.email not in met], now=now)
    return known, new, removed


def _add_people(poll: Poll, people: Collection[Invitee], *, now: dt.datetime) -> list[PollParticipant]:
    """Each person once, the organiser not at all."""
    rows: dict[str, PollParticipant] = {}
    for person in people:
        email = person.email.lower()
        if email in rows or is_organiser(person, poll.organiser):
            continue
        nonce, digest = new_link()
        rows[email] = PollParticipant(
            poll=poll,
            agent_id=person.agent_id,
            email=email,
            name=one_line(person.name)[:NAME_LENGTH],
            is_required=person.role != Role.OPTIONAL,
            asked_at=now,
            link_nonce=nonce,
            link_hash=digest,
        )
    PollParticipant.objects.bulk_create(rows.values())
    made = [row.pk for row in rows.values()]
    return list(PollParticipant.objects.filter(pk__in=made).select_related("agent").order_by("pk"))
