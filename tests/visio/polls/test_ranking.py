"""The best date, whatever the votes: rules that hold for every poll."""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from visio.polls.models import Choice
from visio.polls.ranking import Tally, Vote, best, ranked, tally

DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
ORDER = [Choice.NO.value, Choice.IF_NEED_BE.value, Choice.YES.value]
choices = st.sampled_from(ORDER)
# One row a voter, who must be there or not; one choice a date.
polls = st.integers(2, 6).flatmap(
    lambda dates: st.lists(st.tuples(st.booleans(), st.lists(choices, min_size=dates, max_size=dates)), max_size=8).map(
        lambda voters: (dates, voters)
    )
)
Poll = tuple[int, list[tuple[bool, list[str]]]]


def tallies(poll: Poll) -> list[Tally]:
    dates, voters = poll
    return [
        tally(FIRST + number * DAY, [Vote(row[number], required) for required, row in voters])
        for number in range(dates)
    ]


def place(poll: Poll, number: int) -> int:
    """How many dates are strictly better."""
    counted = tallies(poll)
    return sum(one.merit > counted[number].merit for one in counted)


def test_who_must_be_there_counts_first_then_gladly_then_the_others() -> None:
    yes, maybe, no = (choice.value for choice in (Choice.YES, Choice.IF_NEED_BE, Choice.NO))
    many_optional = tally(FIRST, [Vote(no), *[Vote(yes, is_required=False)] * 5])
    one_required = tally(FIRST + DAY, [Vote(maybe), *[Vote(no, is_required=False)] * 5])
    gladly = tally(FIRST + 2 * DAY, [Vote(yes), *[Vote(no, is_required=False)] * 5])
    with_company = tally(FIRST + 3 * DAY, [Vote(yes), Vote(maybe, is_required=False)])
    listed = [many_optional, one_required, gladly, with_company]
    assert ranked(listed) == listed[::-1]
    assert best(listed) == [with_company]
    assert (many_optional.answers, many_optional.can, many_optional.no) == (6, 5, 1)


@given(polls)
def test_the_best_are_beaten_by_none_and_the_order_is_theirs(poll: Poll) -> None:
    counted = tallies(poll)
    order, leaders = ranked(counted), best(counted)
    assert sorted(order, key=lambda one: one.starts_at) == counted
    assert [one.merit for one in order] == sorted((one.merit for one in counted), reverse=True)
    # Of equals the earlier one.
    assert all(a.starts_at < b.starts_at for a, b in itertools.pairwise(order) if a.merit == b.merit)
    assert order[: len(leaders)] == leaders
    suits_somebody = any(choice != Choice.NO for _required, row in poll[1] for choice in row)
    assert bool(leaders) is suits_somebody


@given(polls, st.randoms())
def test_the_order_of_voters_says_nothing(poll: Poll, chance: object) -> None:
    dates, voters = poll
    shuffled = list(voters)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tallies((dates, shuffled)) == tallies(poll)


@given(polls, st.data())
def test_a_better_word_for_a_date_never_puts_it_lower(poll: Poll, data: st.DataObject) -> None:
    dates, voters = poll
    if not voters:
        return
    who, number = data.draw(st.integers(0, len(voters) - 1)), data.draw(st.integers(0, dates - 1))
    required, row = voters[who]
    if row[number] == Choice.YES:
        return
    better = ORDER[ORDER.index(row[number]) + 1]
    changed = [*voters[:who], (required, [*row[:number], better, *row[number + 1 :]]), *voters[who + 1 :]]
    assert place((dates, changed), number) <= place(poll, number)
