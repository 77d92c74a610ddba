"""What booking refuses, in data and in words."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.days import day_words

# Dates named one by one before "and 12 others".
DATES_NAMED = 5


@dataclass(frozen=True, order=True)
class Conflict:
    """One resource that one date cannot have. Instants are the wanted date's own, aware; who has it is nobody's business.

    `occurrence_id`: None when the date is no row yet. `by_itself`: the meeting's own dates overlap.
    """

    name: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    resource_id: int
    public_id: uuid.UUID
    occurrence_id: int | None = None
    by_itself: bool = False


class ResourcesTaken(Exception):
    """Somebody has them. `.conflicts`: by name and date, at least one; nothing was written."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = sorted(conflicts)

    def messages(self, zone: str) -> list[str]:
        """One sentence a resource, in the current language, hours in `zone`."""
        return conflict_words(self.conflicts, zone)


class ResourcesRefused(Exception):
    """They cannot be booked at all. `.reason`: "too_many", "unknown" or "closed"; `.message` in the current language."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message


def conflict_words(conflicts: Sequence[Conflict], zone: str) -> list[str]:
    """ "Fontenoy 1.03 est déjà prise : jeu. 26 nov. 2026, 10:00 – 11:00 ; …", a sentence a resource."""
    by_name: dict[tuple[str, int, bool], list[Conflict]] = {}
    for conflict in sorted(conflicts):
        by_name.setdefault((conflict.name, conflict.resource_id, conflict.by_itself), []).append(conflict)
    said = []
    for (name, _id, by_itself), found in by_name.items():
        dates = " ; ".join(span_words(one.starts_at, one.ends_at, zone) for one in found[:DATES_NAMED])
        others = len(found) - DATES_NAMED
        if others > 0:
            dates = ngettext("%(dates)s et %(count)d autre date", "%(dates)s et %(count)d autres dates", others) % {
                "dates": dates,
                "count": others,
            }
        if by_itself:
            template = _("« %(name)s » ne peut pas servir deux dates à la fois : %(dates)s.")
        else:
            template = _("« %(name)s » n’est pas libre : %(dates)s.")
        said.append(template % {"name": name, "dates": dates})
    return said


def span_words(starts_at: dt.datetime, ends_at: dt.datetime, zone: str) -> str:
    """ "jeu. 26 nov. 2026, 10:00 – 11:00"."""
    here = zoneinfo.ZoneInfo(zone)
    start, end = starts_at.astimezone(here), ends_at.astimezone(here)
    # Translators: Django date format of a short day with its year, as in "jeu. 26 nov. 2026".
    pattern = _("D. j N Y")
    day = day_words(start.date(), pattern)
    if start.date() == end.date():
        return f"{day}, {start:%H:%M} – {end:%H:%M}"
    return f"{day}, {start:%H:%M} – {day_words(end.date(), pattern)}, {end:%H:%M}"
