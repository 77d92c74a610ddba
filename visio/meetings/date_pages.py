"""The date of a meeting that a page is about: from its address, in its links, and the choices that a series asks for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from suite.agents.models import Agent
from visio.meetings import words
from visio.meetings.dates import current_occurrence, occurrence_by_key, occurrence_key
from visio.meetings.gone_dates import NoSuchDate
from visio.meetings.models import Meeting, Occurrence
from visio.meetings.scopes import Notify, Scope
from visio.places.models import BookingStatus, ResourceBooking


@dataclass(frozen=True)
class Choice:
    """One line of a list of radio buttons."""

    value: str
    label: str
    hint: str = ""


def asked_date(request: HttpRequest, meeting: Meeting, now: dt.datetime) -> Occurrence:
    """The date that ?date= names, else the one that goes on or comes next. NoSuchDate when the meeting has no such date."""
    key = request.GET.get("date", "")
    if not key or not meeting.is_series:
        return current_occurrence(meeting, now)
    found = occurrence_by_key(meeting, key[:40])
    if found is None:
        raise NoSuchDate(meeting, key[:40])
    return found


def address_of(meeting: Meeting, occurrence: Occurrence | None, *, name: str = "detail") -> str:
    """The meeting's page, or that of one date of a series."""
    address = reverse(f"meetings:{name}", args=[meeting.public_id])
    key = occurrence_key(occurrence) if occurrence is not None else ""
    return f"{address}?date={key}" if key else address


def day_words(meeting: Meeting, occurrence: Occurrence, agent: Agent, now: dt.datetime) -> str:
    """ "Mardi 24 novembre, 10:00 – 11:00" where the agent is; a whole day is never converted."""
    zone = meeting.time_zone if meeting.is_all_day else agent.time_zone
    today = words.local(now, agent.time_zone).date()
    day = words.long_day(words.local(occurrence.starts_at, zone).date(), today=today)
    return f"{day}, {hours_words(meeting, occurrence, agent)}"


def hours_words(meeting: Meeting, occurrence: Occurrence, agent: Agent) -> str:
    if meeting.is_all_day:
        said = words.whole_days(occurrence.starts_at, occurrence.ends_at, meeting.time_zone)
        return said[:1].lower() + said[1:]
    return words.hours(occurrence.starts_at, occurrence.ends_at, agent.time_zone)


def scope_choices(meeting: Meeting, occurrence: Occurrence, agent: Agent, now: dt.datetime) -> list[Choice]:
    """What an act on a series may be about, the narrowest first."""
    return [
        Choice(Scope.ONE.value, _("Cette date"), day_words(meeting, occurrence, agent, now)),
        Choice(
            Scope.FOLLOWING.value, _("Cette date et les suivantes"), _("Les dates d’avant restent comme elles sont")
        ),
        Choice(Scope.ALL.value, _("Toute la série"), _("Les dates passées restent comme elles étaient")),
    ]


def notify_choices() -> list[Choice]:
    return [
        Choice(Notify.DEFAULT.value, _("Selon ce qui change (recommandé)")),
        Choice(Notify.ALL.value, _("Toutes les personnes invitées")),
        Choice(Notify.AFFECTED.value, _("Seulement les personnes concernées")),
        Choice(Notify.NOBODY.value, _("Personne")),
    ]


def booked_resources(occurrence: Occurrence) -> list[str]:
    """public_ids of what that date holds or has asked for."""
    held = ResourceBooking.objects.filter(
        occurrence=occurrence, status__in=[BookingStatus.PENDING, BookingStatus.ACCEPTED]
    )
    return [str(public_id) for public_id in held.order_by("pk").values_list("resource__public_id", flat=True)]
