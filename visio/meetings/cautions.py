"""What is worth a second look before a meeting is sent: it is allowed, and said once."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from visio.meetings.forms import PlanForm
from visio.places.models import ResourceKind

# A call goes from browser to browser: each one sends to all the others.
CALL_PEOPLE = 6


@dataclass(frozen=True)
class Caution:
    """`code` comes back with the form ("warned") once the person has seen `text`."""

    code: str
    text: str


def cautions_of(form: PlanForm) -> list[Caution]:
    """No query."""
    people = len(form.people) + 1
    found = []
    rooms = [room for room in form.chosen_resources if room.kind == ResourceKind.ROOM and room.capacity]
    seats = sum(room.capacity or 0 for room in rooms)
    if rooms and people > seats:
        names = ", ".join(room.name for room in rooms)
        said = ngettext(
            "%(people)d personne dans une salle de %(seats)d (%(names)s).",
            "%(people)d personnes dans une salle de %(seats)d (%(names)s).",
            people,
        )
        if len(rooms) > 1:
            said = ngettext(
                "%(people)d personne dans des salles de %(seats)d places en tout (%(names)s).",
                "%(people)d personnes dans des salles de %(seats)d places en tout (%(names)s).",
                people,
            )
        found.append(Caution("places", said % {"people": people, "seats": seats, "names": names}))
    if form.value_of("visio") and people > CALL_PEOPLE:
        said = _(
            "%(people)d personnes en Visio : l’appel va d’un navigateur à l’autre et perd en qualité au-delà de %(most)d."
        )
        found.append(Caution("visio", said % {"people": people, "most": CALL_PEOPLE}))
    return found


def unseen(form: PlanForm, *, before: int = 0) -> list[Caution]:
    """Those that the person has not been told yet; none when an edited meeting grew no bigger (`before`: people so far)."""
    if before and len(form.people) + 1 <= before:
        return []
    seen = set(str(form.value_of("warned")).split())
    return [caution for caution in cautions_of(form) if caution.code not in seen]
