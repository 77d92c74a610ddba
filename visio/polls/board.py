"""What the page of one poll shows, as frozen values: dates with their tallies, people with their votes. Three queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from suite.agents.models import Agent
from visio.meetings.availability import Kind, busy
from visio.polls.models import Choice, Poll, PollOption, PollParticipant, PollVote
from visio.polls.ranking import Tally, Vote, best, tally

# Names of people who have not answered, in the margin.
NAMES_SHOWN = 12
# Rows of the grid before "show all".
ROWS_SHOWN = 50


@dataclass(frozen=True)
class DateLine:
    """One proposed date. `mine`: what the viewer said, "" when nothing; `hint`: a Kind, "free", or "" when unknown."""

    option: PollOption
    tally: Tally
    is_best: bool
    is_past: bool
    mine: str = ""
    hint: str = ""

    @property
    def key(self) -> str:
        return self.option.key


@dataclass(frozen=True)
class Row:
    """One person's votes, in order of the dates; "" where there is none."""

    participant: PollParticipant
    name: str
    is_me: bool
    votes: tuple[str, ...]

    @property
    def is_partial(self) -> bool:
        """Answered before dates were added."""
        return self.participant.answered_at is None


@dataclass(frozen=True)
class Board:
    """`shows_all`: whether the viewer may read others' votes; else `rows` holds their own, and tallies are not shown."""

    dates: tuple[DateLine, ...]
    rows: tuple[Row, ...]
    # Those who have not voted too.
    everybody: tuple[Row, ...]
    hidden_rows: int
    waiting: tuple[str, ...]
    waiting_count: int
    asked: int
    answered: int
    shows_all: bool

    @property
    def more_waiting(self) -> int:
        return self.waiting_count - len(self.waiting)

    @property
    def best(self) -> list[DateLine]:
        return [line for line in self.dates if line.is_best]

    @property
    def chosen(self) -> DateLine | None:
        return next((line for line in self.dates if line.option.is_chosen), None)

    @property
    def is_answered_by_me(self) -> bool:
        return any(line.mine for line in self.dates)


def read_board(
    poll: Poll,
    *,
    viewer: Agent | None = None,
    me: PollParticipant | None = None,
    now: dt.datetime,
    all_rows: bool = False,
    hints: bool = False,
) -> Board:
    """`viewer` is whoever is signed in, `me` their row (or a guest's). `hints`: one query more, of the viewer's calendar."""
    is_organiser = viewer is not None and viewer.pk == poll.organiser_id
    shows_all = is_organiser or poll.shows_votes
    options = list(PollOption.objects.filter(poll=poll))
    people = list(poll.participants.select_related("agent"))
    votes: dict[tuple[int, int], str] = {
        (option, person): choice
        for option, person, choice in PollVote.objects.filter(option__poll=poll).values_list(
            "option", "participant", "choice"
        )
    }
    tallies = [_tally(option, people, votes) for option in options]
    leaders = {one.starts_at for one in best(tallies)} if shows_all else set()
    taken = _hints(options, viewer) if hints and viewer is not None else {}
    mine = me.pk if me is not None else None
    dates = tuple(
        DateLine(
            option=option,
            tally=counted,
            is_best=option.starts_at in leaders,
            is_past=option.starts_at <= now,
            mine=votes.get((option.pk, mine), "") if mine is not None else "",
            hint=taken.get(option.pk, ""),
        )
        for option, counted in zip(options, tallies, strict=True)
    )
    rows = [
        Row(
            participant=person,
            name=person.display_name if is_organiser or person.pk == mine else person.public_name,
            is_me=person.pk == mine,
            votes=tuple(votes.get((option.pk, person.pk), "") for option in options),
        )
        for person in people
        if shows_all or person.pk == mine
    ]
    voted = sorted((row for row in rows if any(row.votes)), key=lambda row: not row.is_me)
    shown = voted if all_rows else voted[:ROWS_SHOWN]
    silent = [row.name for row in rows if row.participant.answered_at is None]
    asked = len(people)
    answered = sum(person.answered_at is not None for person in people)
    return Board(
        dates=dates,
        rows=tuple(shown),
        everybody=tuple(rows),
        hidden_rows=len(voted) - len(shown),
        waiting=tuple(silent[:NAMES_SHOWN]) if shows_all else (),
        waiting_count=asked - answered,
        asked=asked,
        answered=answered,
        shows_all=shows_all,
    )


def _tally(option: PollOption, people: Sequence[PollParticipant], votes: dict[tuple[int, int], str]) -> Tally:
    given = ((votes.get((option.pk, person.pk)), person.is_required) for person in people)
    return tally(option.starts_at, [Vote(choice, required) for choice, required in given if choice is not None])


def _hints(options: Sequence[PollOption], viewer: Agent) -> dict[int, str]:
    """{option: "free" or the gravest of what the viewer's own calendar holds then}. One statement."""
    if not options:
        return {}
    first, last = min(option.starts_at for option in options), max(option.ends_at for option in options)
    pieces = busy([viewer.pk], first, last, viewer=viewer).get(viewer.pk, [])
    found: dict[int, str] = {}
    for option in options:
        kinds = {
            piece.kind for piece in pieces if piece.starts_at < option.ends_at and piece.ends_at > option.starts_at
        }
        gravest = next((kind for kind in (Kind.OUT, Kind.BUSY, Kind.TENTATIVE) if kind in kinds), None)
        found[option.pk] = gravest.value if gravest else "free"
    return found


SIGNS = {Choice.YES.value: "✓", Choice.IF_NEED_BE.value: "(✓)", Choice.NO.value: "✗"}
