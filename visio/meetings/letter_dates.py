"""Single dates that changed while the letter of their series had not left: that letter names each, with the old and the new.

In the language that is active.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.plain import one_line
from visio.meetings.letter_rows import Known
from visio.meetings.letter_words import OtherDate, Told, day, span_words
from visio.meetings.models import Delivery, DeliveryReason, Meeting, Method, Status
from visio.meetings.together import DATES
from visio.meetings.zones import zone_where


@dataclass(frozen=True)
class Line:
    label: str
    was: str
    text: str


def others(delivery: Delivery, known: Known) -> tuple[OtherDate, ...]:
    """The dates that the letter names besides the series itself: those that still take place, with its reader, and differ."""
    before = delivery.before.get(DATES)
    if not before or delivery.method != Method.REQUEST or delivery.reason == DeliveryReason.INVITED:
        return ()
    differences = known.differences.get(delivery.attendee_id or 0)
    found = []
    for key in sorted(before):
        date = dt.datetime.fromisoformat(key)
        occurrence = known.dates.of(date)
        if occurrence is None or occurrence.status == Status.CANCELLED:
            continue
        if differences is not None and date in differences.absent:
            continue
        other = OtherDate(occurrence, before[key])
        if _is_moved(other) or list(_changed_texts(other, known.meeting, delivery.before)):
            found.append(other)
    return tuple(found)


def sentence(told: Told) -> str:
    """ "La date du … est déplacée au …": after what the letter says of the series; "" when no date changed by itself."""
    moved = [other for other in told.others if _is_moved(other)]
    if not told.others:
        return ""
    if len(told.others) == 1 and moved:
        said = _("La date du %(before)s est déplacée au %(after)s.") % {
            "before": day(_starts_before(moved[0]), moved[0].before["time_zone"], _was_all_day(told, moved[0])),
            "after": day(moved[0].occurrence.starts_at, told.meeting.time_zone, told.meeting.is_all_day),
        }
    else:
        said = ngettext(
            "Une date change aussi : elle est nommée plus bas.",
            "%(count)d dates changent aussi : elles sont nommées plus bas.",
            len(told.others),
        ) % {"count": len(told.others)}
    if not moved:
        return said
    asked = ngettext(
        "Votre réponse pour cette date ne compte plus.",
        "Vos réponses pour les dates déplacées ne comptent plus.",
        len(moved),
    )
    return f"{said} {asked}"


def lines(told: Told) -> Iterator[Line]:
    """What each date was and is."""
    for other in told.others:
        now = _span_now(told, other)
        if _is_moved(other):
            yield Line(_("Une date déplacée"), was=_span_before(told, other), text=now)
        for old, new in _changed_texts(other, told.meeting, told.before):
            text = _("%(day)s : %(text)s") % {"day": now, "text": new} if new else now
            yield Line(_("Une date modifiée"), was=old, text=text)


def _changed_texts(other: OtherDate, meeting: Meeting, before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and place, old and new; not those that the date has from its series. `before`: the series' own."""
    for name in ("title", "place"):
        own, inherited = getattr(other.occurrence, name), getattr(meeting, name)
        old, new = other.before.get(name), one_line(inherited if own is None else own)
        is_the_series = own is None and old == before.get(name, inherited)
        if old is not None and old != new and not is_the_series:
            yield old, new


def _is_moved(other: OtherDate) -> bool:
    if not {"starts_at", "ends_at", "time_zone"} <= other.before.keys():
        return False
    ends_at = dt.datetime.fromisoformat(other.before["ends_at"])
    return (_starts_before(other), ends_at) != (other.occurrence.starts_at, other.occurrence.ends_at)


def _starts_before(other: OtherDate) -> dt.datetime:
    return dt.datetime.fromisoformat(other.before["starts_at"])


def _was_all_day(told: Told, other: OtherDate) -> bool:
    return bool(other.before.get("is_all_day", told.meeting.is_all_day))


def _span_now(told: Told, other: OtherDate) -> str:
    one, meeting = other.occurrence, told.meeting
    return span_words(one.starts_at, one.ends_at, meeting.time_zone, meeting.is_all_day)


def _span_before(told: Told, other: OtherDate) -> str:
    zone, was_all_day = other.before["time_zone"], _was_all_day(told, other)
    said = span_words(_starts_before(other), dt.datetime.fromisoformat(other.before["ends_at"]), zone, was_all_day)
    return f"{said} {zone_where(zone)}" if zone != told.meeting.time_zone and not was_all_day else said
