"""Which date of each meeting one reader is shown over the API, and what they answered to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Case, Exists, OuterRef, Subquery, When

from suite.agents.delegation import principals_of
from suite.agents.models import Agent
from visio.meetings.dates import current_occurrences
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import Attendee, Meeting, Occurrence, Status


@dataclass(frozen=True)
class Shown:
    """By meeting. `dates`: the one that goes on or comes next among those that the reader may see.

    `answers`: the reader's own to that date; none where they are not invited. `alone`: meetings that invite the reader to that
    date only, who then reads nothing of the others (permissions.only_date_of).
    """

    dates: dict[int, Occurrence]
    answers: dict[int, str]
    alone: frozenset[int]

    @property
    def alone_dates(self) -> list[Occurrence]:
        return [self.dates[pk] for pk in sorted(self.alone)]


def shown_to(viewer: Agent, meetings: Collection[Meeting], mine: Iterable[Attendee], now: dt.datetime) -> Shown:
    """`mine`: the viewer's own rows of these meetings, with their `only_occurrence`.

    Three queries at most for a page, and one more for each series whose next date the viewer was left out of.
    """
    places = {row.meeting_id: row for row in mine}
    guest = {one.pk for one in meetings if one.is_series and one.pk in places and one.organiser_id != viewer.pk}
    if guest:
        held = principals_of(viewer)
        guest -= {one.pk for one in meetings if one.organiser_id in held}
    alone = {pk: date for pk in guest if (date := places[pk].only_occurrence) is not None}
    dates = current_occurrences([one.pk for one in meetings if one.pk not in alone], now) | alone
    answers = {pk: row.answer for pk, row in places.items() if row.only_occurrence_id in (None, dates[pk].pk)}
    series = {places[one.pk].pk: one.pk for one in meetings if one.is_series and one.pk in places}
    if series:
        own = AttendeeException.objects.filter(attendee__in=series, occurrence__in=[one.pk for one in dates.values()])
        for exception in own:
            pk = series[exception.attendee_id]
            if not exception.removed:
                answers[pk] = exception.answer or answers[pk]
                continue
            answers.pop(pk, None)
            if pk in guest and (another := another_date(places[pk], now)) is not None:
                dates[pk], answers[pk] = another
    return Shown(dates, answers, frozenset(alone))


def another_date(place: Attendee, now: dt.datetime) -> tuple[Occurrence, str] | None:
    """The next date that this guest is invited to, else their last one, and their answer to it. None: there is none left."""
    own = AttendeeException.objects.filter(attendee=place, occurrence=OuterRef("pk"))
    invited = Occurrence.objects.filter(~Exists(own.filter(removed=True)), meeting=place.meeting_id).annotate(
        is_gone=Case(When(status=Status.CANCELLED, then=2), When(ends_at__lte=now, then=1), default=0),
        own_answer=Subquery(own.values("answer")[:1]),
    )
    coming = invited.filter(is_gone=0).order_by("starts_at").first()
    found = coming or invited.order_by("is_gone", "-starts_at").first()
    return (found, vars(found)["own_answer"] or place.answer) if found is not None else None


def answers_of_dates(people: Iterable[Attendee], occurrences: Collection[Occurrence]) -> None:
    """Give `people`, in memory, the answers of their own to these dates. One query; none without a date."""
    rows = {person.pk: person for person in people}
    own = AttendeeException.objects.filter(occurrence__in=occurrences, attendee__in=rows, answer__isnull=False)
    for exception in own if occurrences else ():
        person = rows[exception.attendee_id]
        person.answer = exception.answer or person.answer
        person.answered_at, person.answered_revision = exception.answered_at, exception.answered_revision
        person.comment = exception.comment
