"""One person says which dates suit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from suite.core.events import publish
from suite.core.plain import one_line
from visio.events import PollVoted
from visio.polls.models import Choice, PollOption, PollParticipant, PollStatus, PollVote
from visio.polls.opening import locked
from visio.polls.refusals import VoteRefused

COMMENT_LENGTH = 500


@transaction.atomic
def vote(
    *, participant: PollParticipant, choices: Mapping[str, str], now: dt.datetime, comment: str = ""
) -> PollParticipant:
    """Record an answer for every date: {PollOption.key: a value of Choice}. The last one counts.

    Raises VoteRefused; then nothing is written. Voters of one poll wait for each other and for whoever closes it.
    """
    poll = locked(participant.poll)
    if poll.status != PollStatus.OPEN:
        raise VoteRefused("chosen" if poll.status == PollStatus.CHOSEN else "closed")
    if not poll.takes_answers(now):
        raise VoteRefused("late")
    voter = PollParticipant.objects.filter(pk=participant.pk, poll=poll).first()
    if voter is None:
        raise VoteRefused("removed")
    options = {option.key: option for option in PollOption.objects.filter(poll=poll)}
    if choices.keys() - options.keys():
        raise VoteRefused("unknown_date")
    if not set(choices.values()) <= set(Choice.values):
        raise VoteRefused("unknown_choice")
    if options.keys() - choices.keys():
        raise VoteRefused("incomplete")
    PollVote.objects.bulk_create(
        [PollVote(option=options[key], participant=voter, choice=choice) for key, choice in choices.items()],
        update_conflicts=True,
        unique_fields=["option", "participant"],
        update_fields=["choice"],
    )
    voter.answered_at = now
    voter.comment = one_line(comment)[:COMMENT_LENGTH]
    voter.save(update_fields=["answered_at", "comment"])
    publish(PollVoted(poll_id=poll.pk, participant_id=voter.pk))
    return voter
