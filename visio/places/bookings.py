"""Book rooms and equipment for the dates of a meeting, follow them when they move, give them back (R17).

Every write locks the resources' rows first, by id, then inserts all dates in one statement in the order of date and
resource: writers wait for each other and never in a circle. The exclusion constraint is the last word all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from suite.agents.models import Agent
from visio.places import asking
from visio.places.models import BookingStatus, Resource, ResourceBooking
from visio.places.queries import taken_spans
from visio.places.refusals import Conflict, ResourcesRefused, ResourcesTaken

if TYPE_CHECKING:
    from visio.meetings.models import Meeting

MOST_RESOURCES = 20
ACTIVE = (BookingStatus.PENDING, BookingStatus.ACCEPTED)


@dataclass(frozen=True)
class BookedDate:
    """One date of a meeting, half-open, aware (UTC)."""

    occurrence_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True)
class _Wanted:
    """One row to insert."""

    resource: Resource
    date: BookedDate
    status: str
    decided_by_id: int | None = None
    decided_at: dt.datetime | None = None
    words: str = ""


def check_number(resource_ids: Collection[object]) -> None:
    """Raises ResourcesRefused when that many are asked for at once: no query has to be made for 500 of them."""
    if len(resource_ids) > MOST_RESOURCES:
        raise ResourcesRefused(
            "too_many",
            _("%(most)d salles et équipements au plus par réunion : il y en a %(number)d.")
            % {"most": MOST_RESOURCES, "number": len(resource_ids)},
        )


def book(
    *, meeting: Meeting, dates: Sequence[BookedDate], resource_ids: Collection[int], by: Agent, now: dt.datetime
) -> None:
    """Give `dates` these resources too; those that have them already keep them. Dates that are over are left alone.

    Raises ResourcesTaken with every conflict, ResourcesRefused; then nothing was written, also inside a transaction.
    """
    check_number(set(resource_ids))
    with transaction.atomic():
        _settle(meeting=meeting, dates=dates, add=set(resource_ids), exactly=None, by=by, now=now)


def rebook(
    *,
    meeting: Meeting,
    dates: Sequence[BookedDate],
    resource_ids: Collection[int] | None,
    by: Agent,
    now: dt.datetime,
    or_without: bool = False,
) -> list[Conflict]:
    """Make the bookings of `dates` follow them: moved ones are made again (and approved again), unwanted ones given up.

    `resource_ids`: exactly these from now on. None: each date keeps what it has, takes again what a cancelled date gave back,
    and a date without any gets what the series has. What a manager refused for a date stays refused until the date moves, or
    the resource is given up and asked for anew. Dates that came from another meeting bring their bookings along. Other dates
    of the meeting are untouched. `or_without`: dates that cannot have a resource go without it and are returned, instead of
    ResourcesTaken. Raises as `book` does.
    """
    if resource_ids is not None:
        check_number(set(resource_ids))
    with transaction.atomic():
        exactly = None if resource_ids is None else set(resource_ids)
        return _settle(meeting=meeting, dates=dates, add=set(), exactly=exactly, by=by, now=now, or_without=or_without)


def release(*, meeting: Meeting, occurrence_ids: Collection[int] | None = None) -> None:
    """Give back what these dates hold; all of the meeting when None. What was decided is kept, for an undo."""
    with transaction.atomic():
        held = ResourceBooking.objects.filter(occurrence__meeting=meeting, status__in=ACTIVE)
        if occurrence_ids is not None:
            held = held.filter(occurrence__in=list(occurrence_ids))
        resources = set(held.values_list("resource", flat=True).order_by())
        if resources:
            _lock(resources)
            held.update(status=BookingStatus.RELEASED)
            asking.follow(meeting=meeting, resource_ids=resources)


# A refusal of the time that the act asked for says nothing of the one before it.
_FORGET = """
DELETE FROM visio_resourcebooking r USING jsonb_array_elements(%(before)s) b
 WHERE r.occurrence_id = (b ->> 'occurrence_id')::bigint AND r.resource_id = (b ->> 'resource_id')::bigint
   AND r.status = 'refused' AND b ->> 'status' IN ('pending', 'accepted') AND r.during <> (b ->> 'during')::tstzrange
"""
_RESTORE = """
INSERT INTO visio_resourcebooking
SELECT (jsonb_populate_record(NULL::visio_resourcebooking, b || CASE WHEN b ->> 'status' IN ('pending', 'accepted')
        THEN '{"status": "released"}'::jsonb ELSE '{}'::jsonb END)).*
  FROM jsonb_array_elements(%(before)s) b
 WHERE (b ->> 'occurrence_id')::bigint = ANY(%(dates)s::bigint[])
    ON CONFLICT DO NOTHING
"""


def restore(
    *, meeting: Meeting, dates: Collection[int], before: Sequence[Mapping[str, Any]], others: Collection[int] = ()
) -> None:
    """Before a `rebook` that takes an act back: `dates` (ids) have what `before` (rows as JSON) says, and nothing else.

    What it has no more is there again as given back; what the act booked is given up. What was decided meanwhile of what it
    had, and still has at the same time, stays. Locks the resources of the `others`, meetings by id, as well.
    """
    ours = ResourceBooking.objects.filter(Q(occurrence__in=list(dates)) | Q(meeting__in=[meeting.pk, *others]))
    there = {(row.occurrence_id, row.resource_id): row.pk for row in ours.order_by()}
    if not there and not before:
        return
    had = {(row["occurrence_id"], row["resource_id"]) for row in before}
    _lock({resource for _occurrence, resource in had | there.keys()})
    mine = set(dates)
    unwanted = {key: pk for key, pk in there.items() if key[0] in mine and key not in had}
    ResourceBooking.objects.filter(pk__in=unwanted.values()).delete()
    values: dict[str, Any] = {"before": Jsonb(list(before)), "dates": list(dates)}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, values)
        cursor.execute(_RESTORE, values)
    asking.follow(meeting=meeting, resource_ids={resource for _occurrence, resource in unwanted})


def held_resources(meeting_ids: Collection[int]) -> dict[int, set[int]]:
    """{meeting: resources that its dates have}, dates changed by themselves left aside when there are others. One query."""
    found: dict[int, set[int]] = {}
    rows = ResourceBooking.objects.filter(meeting__in=list(meeting_ids), status__in=ACTIVE).order_by()
    alone: dict[int, set[int]] = {}
    kinds = rows.values_list("meeting", "resource", "occurrence__is_override").distinct()
    for meeting_id, resource_id, is_override in kinds:
        (alone if is_override else found).setdefault(meeting_id, set()).add(resource_id)
    return alone | found


def _settle(
    *,
    meeting: Meeting,
    dates: Sequence[BookedDate],
    add: set[int],
    exactly: set[int] | None,
    by: Agent,
    now: dt.datetime,
    or_without: bool = False,
) -> list[Conflict]:
    coming = sorted((one for one in dates if one.ends_at > now), key=lambda one: (one.starts_at, one.occurrence_id))
    if not coming:
        return []
    # "This and the following" makes dates another meeting's.
    occurrences = [one.occurrence_id for one in coming]
    ResourceBooking.objects.filter(occurrence__in=occurrences).exclude(meeting=meeting).update(meeting=meeting)
    held = held_resources([meeting.pk]).get(meeting.pk, set())
    wanted_everywhere = add if exactly is None else exactly
    existing: dict[int, dict[int, ResourceBooking]] = {}
    for row in ResourceBooking.objects.filter(meeting=meeting, occurrence__in=occurrences):
        existing.setdefault(row.occurrence_id, {})[row.resource_id] = row
    there_now = {resource_id for there in existing.values() for resource_id in there}
    resources = _lock(held | wanted_everywhere | there_now)
    _check(resources, wanted_everywhere - held, meeting)
    plan = _Plan(meeting, resources, held, _managed(by, resources), by, now)
    for date in coming:
        there = existing.get(date.occurrence_id, {})
        if exactly is not None:
            wanted = exactly
        else:
            # A date that takes place has given nothing back, unless its cancelling was undone.
            wanted = {one for one, row in there.items() if row.status != BookingStatus.REFUSED}
            if not there and not add:
                wanted = held
        plan.settle(date, there, wanted | add, gives_back=exactly is not None)
    return plan.write(or_without=or_without)


class _Plan:
    """What has to be written so that the dates have what they want."""

    def __init__(
        self,
        meeting: Meeting,
        resources: Mapping[int, Resource],
        held: set[int],
        managed: set[int],
        by: Agent,
        now: dt.datetime,
    ) -> None:
        self.meeting, self.resources, self.held, self.managed = meeting, resources, held, managed
        self.by, self.now = by, now
        self.inserts: list[_Wanted] = []
        self.deletes: list[int] = []
        self.touched: set[int] = set()

    def settle(
        self, date: BookedDate, there: Mapping[int, ResourceBooking], wanted: set[int], *, gives_back: bool
    ) -> None:
        for resource_id in sorted(wanted):
            row = there.get(resource_id)
            resource = self.resources.get(resource_id)
            if row is not None:
                stays = (row.during.lower, row.during.upper) == (date.starts_at, date.ends_at)
                if stays and row.status in ACTIVE:
                    continue
                if stays and row.status == BookingStatus.REFUSED and resource_id in self.held:
                    continue
                self.deletes.append(row.pk)
                self.touched.add(resource_id)
            if resource is None:
                continue
            if not resource.is_active:
                raise _closed(resource)
            self.inserts.append(self._wanted(resource, date, row))
        # Given up, not given back by a cancelled date: nothing is kept that an undo of that would take again.
        unwanted = [row for one, row in there.items() if one not in wanted and gives_back]
        self.deletes += [row.pk for row in unwanted]
        self.touched |= {row.resource_id for row in unwanted}

    def _wanted(self, resource: Resource, date: BookedDate, row: ResourceBooking | None) -> _Wanted:
        if not resource.needs_approval:
            return _Wanted(resource, date, BookingStatus.ACCEPTED)
        if resource.pk in self.managed:
            return _Wanted(resource, date, BookingStatus.ACCEPTED, self.by.pk, self.now)
        if (
            row is not None
            and row.status == BookingStatus.RELEASED
            and row.decided_at is not None
            and (row.during.lower, row.during.upper) == (date.starts_at, date.ends_at)
        ):
            # Given back and taken again, by an undo: the manager had said yes to this very time.
            return _Wanted(resource, date, BookingStatus.ACCEPTED, row.decided_by_id, row.decided_at, row.words)
        return _Wanted(resource, date, BookingStatus.PENDING)

    def write(self, *, or_without: bool) -> list[Conflict]:
        if self.deletes:
            ResourceBooking.objects.filter(pk__in=self.deletes).delete()
        missed: list[Conflict] = []
        if self.inserts and or_without:
            missed = _conflicts(self.inserts)
            gone = {(one.resource_id, one.occurrence_id) for one in missed}
            self.inserts = [
                replace(row, status=BookingStatus.REFUSED) if (row.resource.pk, row.date.occurrence_id) in gone else row
                for row in self.inserts
            ]
        if self.inserts:
            _insert(self.meeting, self.inserts, self.now)
            self.touched |= {one.resource.pk for one in self.inserts}
        if self.touched:
            asked = {one.resource.pk for one in self.inserts if one.status == BookingStatus.PENDING}
            asking.follow(meeting=self.meeting, resource_ids=self.touched, asked=asked, now=self.now)
        return missed


_INSERT = """
INSERT INTO visio_resourcebooking
       (resource_id, meeting_id, occurrence_id, during, status, decided_by_id, decided_at, words, created_at)
SELECT d.resource, %(meeting)s, d.occurrence, tstzrange(d.starts_at, d.ends_at), d.status, d.decided_by, d.decided_at,
       d.words, %(now)s
  FROM unnest(%(resources)s::bigint[], %(occurrences)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
              %(statuses)s::text[], %(deciders)s::bigint[], %(decided)s::timestamptz[], %(words)s::text[])
       AS d (resource, occurrence, starts_at, ends_at, status, decided_by, decided_at, words)
 ORDER BY d.starts_at, d.resource
"""


def _insert(meeting: Meeting, rows: Sequence[_Wanted], now: dt.datetime) -> None:
    """All in one statement; their resources are locked. Raises ResourcesTaken and leaves nothing half-written."""
    conflicts = _conflicts([row for row in rows if row.status in ACTIVE])
    if conflicts:
        raise ResourcesTaken(conflicts)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                {
                    "meeting": meeting.pk,
                    "now": now,
                    "resources": [row.resource.pk for row in rows],
                    "occurrences": [row.date.occurrence_id for row in rows],
                    "starts": [row.date.starts_at for row in rows],
                    "ends": [row.date.ends_at for row in rows],
                    "statuses": [str(row.status) for row in rows],
                    "deciders": [row.decided_by_id for row in rows],
                    "decided": [row.decided_at for row in rows],
                    "words": [row.words for row in rows],
                },
            )
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) != "booking_never_overlaps":
            raise
        # A writer that took no lock was faster; the constraint held.
        raise ResourcesTaken(_conflicts(rows) or [_conflict(row) for row in rows]) from error


def _conflicts(rows: Sequence[_Wanted]) -> list[Conflict]:
    """Whatever keeps `rows` from being inserted: others' bookings, and each other."""
    by_resource: dict[int, list[_Wanted]] = {}
    for row in rows:
        by_resource.setdefault(row.resource.pk, []).append(row)
    spans = sorted({(row.date.starts_at, row.date.ends_at) for row in rows})
    taken = taken_spans(list(by_resource), spans)
    found: list[Conflict] = []
    for resource_id, mine in by_resource.items():
        overlapping = set(taken.get(resource_id, ()))
        found += [_conflict(row) for row in mine if (row.date.starts_at, row.date.ends_at) in overlapping]
        latest: _Wanted | None = None
        for row in sorted(mine, key=lambda one: one.date.starts_at):
            if latest is not None and row.date.starts_at < latest.date.ends_at:
                found.append(_conflict(row, by_itself=True))
            if latest is None or row.date.ends_at > latest.date.ends_at:
                latest = row
    return found


def _conflict(row: _Wanted, *, by_itself: bool = False) -> Conflict:
    return Conflict(
        name=str(row.resource),
        starts_at=row.date.starts_at,
        ends_at=row.date.ends_at,
        resource_id=row.resource.pk,
        public_id=row.resource.public_id,
        occurrence_id=row.date.occurrence_id,
        by_itself=by_itself,
    )


def _lock(resource_ids: Iterable[int]) -> dict[int, Resource]:
    """The resources by id, locked in that order against every other booking of them, not against reading."""
    wanted = sorted(set(resource_ids))
    if not wanted:
        return {}
    rows = Resource.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True, of=("self",))
    return {row.pk: row for row in rows}


def _check(resources: Mapping[int, Resource], fresh: set[int], meeting: Meeting) -> None:
    """New ones must be of the organiser's organisation and open."""
    home = meeting.organiser.organisation_id
    for resource_id in sorted(fresh):
        resource = resources.get(resource_id)
        if resource is None or resource.organisation_id != home:
            raise ResourcesRefused("unknown", _("Cette salle ou cet équipement n’existe pas dans votre organisation."))
        if not resource.is_active:
            raise _closed(resource)


def _closed(resource: Resource) -> ResourcesRefused:
    return ResourcesRefused("closed", _("« %(name)s » n’est plus réservable.") % {"name": resource})


def _managed(by: Agent, resources: Mapping[int, Resource]) -> set[int]:
    """Those of `resources` whose requests `by` decides. No query when none asks for approval."""
    asking_ones = [one.pk for one in resources.values() if one.needs_approval]
    if not asking_ones:
        return set()
    managed = Resource.objects.filter(pk__in=asking_ones, managers=by, organisation=by.organisation_id)
    return set(managed.order_by().values_list("pk", flat=True))
