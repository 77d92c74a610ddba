"""What happens to a meeting's rooms without its organiser's doing, as lines of its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from visio.events import BookingsDecided
from visio.meetings.models import ChangeKind, Meeting, MeetingChange
from visio.places.horizon import Missed
from visio.places.models import BookingStatus, ResourceBooking
from visio.places.refusals import span_words


def remember_decision(fact: BookingsDecided) -> None:
    """Written in the transaction of the decision. `details`: act, resource, dates, words, starts_at, ends_at (of the first)."""
    rows = list(
        ResourceBooking.objects.filter(pk__in=fact.booking_ids)
        .select_related("resource", "decided_by", "meeting")
        .order_by("during")
    )
    if not rows or rows[0].decided_by is None:
        return
    first = rows[0]
    act = "accepted" if first.status == BookingStatus.ACCEPTED else "refused"
    details = {"act": act, "resource": str(first.resource), "dates": len(rows), "words": first.words}
    details |= _span(first.during.lower, first.during.upper)
    _write(first.meeting, first.decided_by, first.decided_at or timezone.now(), details)


def remember_missed(missed: Sequence[Missed], *, now: dt.datetime) -> None:
    """New dates of series that could not have their room: a line a meeting and room."""
    groups: dict[tuple[int, int], list[Missed]] = {}
    for one in missed:
        groups.setdefault((one.meeting_id, one.resource_id), []).append(one)
    meetings = Meeting.objects.in_bulk({meeting_id for meeting_id, _resource in groups})
    for (meeting_id, _resource), found in groups.items():
        details: dict[str, Any] = {"act": "missed", "resource": found[0].name, "dates": len(found)}
        details |= _span(found[0].starts_at, found[0].ends_at)
        _write(meetings[meeting_id], None, now, details)


def booked_words(details: dict[str, Any], *, zone: str) -> str:
    """ "Salle refusée : Ségur 3.12, jeu. 26 nov. 2026, 10:00 – 11:00 et 3 autres dates. « Travaux »"."""
    if not {"act", "resource", "starts_at", "ends_at"} <= details.keys():
        return str(ChangeKind.BOOKED.label)
    starts_at, ends_at = (dt.datetime.fromisoformat(details[name]) for name in ("starts_at", "ends_at"))
    when = span_words(starts_at, ends_at, zone)
    others = int(details.get("dates", 1)) - 1
    if others > 0:
        when = ngettext("%(when)s et %(count)d autre date", "%(when)s et %(count)d autres dates", others) % {
            "when": when,
            "count": others,
        }
    templates = {
        "accepted": _("Réservation acceptée : %(resource)s, %(when)s"),
        "refused": _("Réservation refusée : %(resource)s, %(when)s"),
        "missed": _("Sans réservation, indisponible : %(resource)s, %(when)s"),
    }
    if details["act"] not in templates:
        return str(ChangeKind.BOOKED.label)
    said = templates[details["act"]] % {"resource": details["resource"], "when": when}
    return f"{said}. « {details['words']} »" if details.get("words") else said


def _write(meeting: Meeting, by: Agent | None, now: dt.datetime, details: dict[str, Any]) -> None:
    """In nobody else's name: a room's manager is no delegate of the organiser."""
    MeetingChange.objects.create(
        meeting=meeting, at=now, by=by, kind=ChangeKind.BOOKED, revision=meeting.revision, details=details
    )


def _span(starts_at: dt.datetime, ends_at: dt.datetime) -> dict[str, str]:
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
