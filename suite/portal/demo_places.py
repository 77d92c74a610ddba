"""Rooms and equipment of the demonstration organisations, and who has them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from suite.agents.models import Agent, Organisation
from visio.meetings.models import Attendee, Meeting, Occurrence
from visio.places.models import BookingStatus, Resource, ResourceBooking, ResourceKind


@dataclass(frozen=True)
class PlannedRoom:
    """`manager`: the address of who approves; "" for a room that anybody of the organisation takes."""

    domain: str
    name: str
    site: str
    floor: str
    capacity: int | None
    features: tuple[str, ...]
    manager: str = ""
    kind: str = ResourceKind.ROOM.value


CLAIRE = "claire.morel@dinum.example"
ROOMS: tuple[PlannedRoom, ...] = (
    PlannedRoom("dinum.example", "Fontenoy 1.03", "Ségur-Fontenoy", "1er étage", 8, ("visio", "screen", "whiteboard")),
    PlannedRoom("dinum.example", "Fontenoy 1.07", "Ségur-Fontenoy", "1er étage", 4, ("screen", "accessible")),
    PlannedRoom("dinum.example", "Ségur 2.12", "Ségur-Fontenoy", "2e étage", 14, ("visio", "screen", "accessible")),
    PlannedRoom(
        "dinum.example",
        "Salle du conseil",
        "Ségur-Fontenoy",
        "Rez-de-chaussée",
        40,
        ("visio", "projector", "accessible", "hearing_loop", "dividable"),
        CLAIRE,
    ),
    PlannedRoom("dinum.example", "Bulle Lyon", "Lyon Part-Dieu", "5e étage", 6, ("visio", "whiteboard")),
    PlannedRoom("dinum.example", "Valise de visioconférence", "Ségur-Fontenoy", "", None, ("visio",), "", "resource"),
    PlannedRoom("finistere.example", "COD", "Quimper", "Sous-sol", 24, ("visio", "screen", "phone", "secure")),
    PlannedRoom(
        "finistere.example", "Salle Bréhat", "Quimper", "1er étage", 10, ("screen", "paperboard", "accessible")
    ),
    PlannedRoom("finistere.example", "Salle Ouessant", "Brest", "2e étage", 6, ("visio",)),
    PlannedRoom("bretagne.example", "Salle Brocéliande", "Rennes", "3e étage", 18, ("visio", "screen", "hearing_loop")),
    PlannedRoom("bretagne.example", "Salle Armor", "Rennes", "3e étage", 8, ("screen", "whiteboard")),
    PlannedRoom("bretagne.example", "Projecteur portable", "Rennes", "", None, ("projector",), "", "resource"),
)
# From so many people on a meeting without a place takes a room.
ENOUGH = 4


def load_rooms() -> None:
    """What exists, edited or not, stays."""
    homes = {home.domain: home for home in Organisation.objects.filter(is_demo=True)}
    agents = {agent.email: agent for agent in Agent.objects.filter(email__in={one.manager for one in ROOMS})}
    for planned in ROOMS:
        home = homes.get(planned.domain)
        if home is None:
            continue
        room, is_new = Resource.objects.get_or_create(
            organisation=home,
            site=planned.site,
            name=planned.name,
            defaults={
                "kind": planned.kind,
                "floor": planned.floor,
                "capacity": planned.capacity,
                "features": list(planned.features),
                "needs_approval": bool(planned.manager),
                "is_demo": True,
            },
        )
        if is_new and planned.manager in agents:
            room.managers.add(agents[planned.manager])


def book_rooms(
    meetings: Sequence[Meeting], occurrences: Sequence[Occurrence], attendees: Sequence[Attendee], *, now: dt.datetime
) -> None:
    """Rooms for new demonstration meetings: the one that their place names, else one that holds the people who come."""
    people: dict[int, int] = {}
    for attendee in attendees:
        people[attendee.meeting_id] = people.get(attendee.meeting_id, 0) + 1
    rooms: dict[int, list[Resource]] = {}
    for room in Resource.objects.filter(is_demo=True, is_active=True, kind=ResourceKind.ROOM).order_by("pk"):
        rooms.setdefault(room.organisation_id, []).append(room)
    dates = {date.meeting_id: date for date in occurrences}
    rows = []
    for meeting in meetings:
        wanted = _room_for(meeting, rooms.get(meeting.organiser.organisation_id, []), people.get(meeting.pk, 0))
        if wanted is None:
            continue
        date = dates[meeting.pk]
        # Some of those to come still wait for their answer.
        waits = wanted.needs_approval and date.starts_at > now and meeting.creation_key.int % 3 == 0
        rows.append(
            ResourceBooking(
                resource=wanted,
                meeting=meeting,
                occurrence=date,
                during=DateTimeTZRange(date.starts_at, date.ends_at),
                status=BookingStatus.PENDING if waits else BookingStatus.ACCEPTED,
            )
        )
    # Whoever comes second does without.
    rows.sort(key=lambda row: (row.during.lower, row.resource_id))
    ResourceBooking.objects.bulk_create(rows, ignore_conflicts=True)


def _room_for(meeting: Meeting, rooms: Sequence[Resource], people: int) -> Resource | None:
    named = next((room for room in rooms if room.name in meeting.place), None)
    if named is not None or meeting.place or people < ENOUGH:
        return named
    fitting = [room for room in rooms if room.capacity is None or room.capacity >= people]
    return fitting[meeting.creation_key.int % len(fitting)] if fitting else None
