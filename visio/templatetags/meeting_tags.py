"""Small words for the meeting templates: hours, days, ages, and the attributes that tie an error to its field."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django import template
from django.forms import BoundField
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join, urlize
from django.utils.safestring import SafeString, mark_safe

from visio.meetings import words, zones
from visio.meetings.answer_forms import ProposeForm
from visio.meetings.dates import occurrence_key
from visio.meetings.models import Attendee, Meeting, Occurrence

register = template.Library()


def _zone() -> str:
    return str(timezone.get_current_timezone())  # its key; the name of a fixed offset is "+09"


@register.filter
def grouped(number: int) -> str:
    """ "10 001" as the reader's language groups digits: for counts, never for an id or a year."""
    return formats.number_format(number, force_grouping=True)


@register.simple_tag
def hours(starts_at: dt.datetime, ends_at: dt.datetime, zone: str = "") -> str:
    """ "10:00 – 11:00" in `zone`, by default the reader's."""
    return words.hours(starts_at, ends_at, zone or _zone())


@register.simple_tag(takes_context=True)
def day(context: template.Context, at: dt.datetime, zone: str = "") -> str:
    """ "Mardi 24 novembre"."""
    name = zone or _zone()
    return words.long_day(words.local(at, name).date(), today=words.local(context["now"], name).date())


@register.simple_tag
def full_day(at: dt.datetime, zone: str = "") -> str:
    return words.full_day(words.local(at, zone or _zone()).date())


@register.simple_tag(takes_context=True)
def moment(context: template.Context, at: dt.datetime) -> str:
    """ "hier à 16:41"."""
    return words.moment(at, now=context["now"], zone_name=_zone())


@register.filter
def zone_place(name: str) -> str:
    return zones.zone_place(name)


@register.filter
def zone_where(name: str) -> str:
    return zones.zone_where(name)


@register.simple_tag
def zone_options(chosen: str, at: dt.datetime) -> SafeString:
    return zones.zone_options(chosen=chosen, at=at)


@register.simple_tag
def field_state(field: BoundField, hint: bool = False) -> SafeString:
    """aria-invalid and aria-describedby of a field: its hint, then its error."""
    described = [f"{field.auto_id}-aide"] if hint else []
    if field.errors:
        described.append(f"{field.auto_id}-erreur")
    invalid = mark_safe(' aria-invalid="true"') if field.errors else ""
    return format_html('aria-describedby="{}"{}', " ".join(described), invalid) if described else SafeString("")


@register.simple_tag
def field_errors(field: BoundField) -> SafeString:
    """The messages of a field, under it."""
    if not field.errors:
        return SafeString("")
    lines = format_html_join("", '<p class="fr-error-text">{}</p>', ((error,) for error in field.errors))
    return format_html('<div class="mt-errors" id="{}-erreur">{}</div>', field.auto_id, lines)


@register.filter
def host_and_path(url: str) -> str:
    """The part of an address that a person reads: without https://, without a last slash."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


@register.filter(is_safe=True)
def plain_text(text: str) -> SafeString:
    """Escaped text with its line breaks, and links for addresses that begin with http (nofollow)."""
    linked = urlize(text, nofollow=True, autoescape=True)
    return mark_safe(linked.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>"))  # noqa: S308  urlize escaped it


@register.simple_tag(takes_context=True)
def date_line(context: template.Context, meeting: Meeting, occurrence: Occurrence, zone: str = "") -> SafeString:
    """ "Mardi 24 novembre, 10:00 – 11:00" of one date, where the reader is; a whole day is never converted (R14)."""
    name = meeting.time_zone if meeting.is_all_day else (zone or _zone())
    today = words.local(context["now"], name).date()
    day_words = words.long_day(words.local(occurrence.starts_at, name).date(), today=today)
    if meeting.is_all_day:
        said = words.whole_days(occurrence.starts_at, occurrence.ends_at, name)
        hours_words = said[:1].lower() + said[1:]
    else:
        hours_words = words.hours(occurrence.starts_at, occurrence.ends_at, name)
    return format_html('{}, <span class="ps-nums">{}</span>', day_words, hours_words)


@register.simple_tag
def occurrence_hours(meeting: Meeting, occurrence: Occurrence, zone: str) -> str:
    """ "10:00 – 11:00" in `zone`, or that the whole day is meant. Anything with two instants will do."""
    if meeting.is_all_day:
        return words.whole_days(occurrence.starts_at, occurrence.ends_at, meeting.time_zone)
    return words.hours(occurrence.starts_at, occurrence.ends_at, zone)


@register.simple_tag
def row_hours(row: Attendee) -> str:
    """The hours of a list's row; "Toute la journée" for whole days."""
    if row.meeting.is_all_day:
        return words.whole_days(row.starts_at, row.ends_at, row.meeting.time_zone)
    return words.hours(row.starts_at, row.ends_at, _zone())


@register.filter
def date_key(occurrence: Occurrence) -> str:
    """How an address names the date."""
    return occurrence_key(occurrence)


@register.inclusion_tag("visio/meetings/_propose_fields.html")
def propose_fields(meeting: Meeting, occurrence: Occurrence, zone: str, form: ProposeForm | None) -> dict[str, object]:
    """Day and hours of another time: as typed, else those of today's, in `zone`."""
    name = meeting.time_zone if meeting.is_all_day else zone
    begin, end = words.local(occurrence.starts_at, name), words.local(occurrence.ends_at, name)
    values = {"day": begin.date().isoformat(), "from_hour": f"{begin:%H:%M}", "to_hour": f"{end:%H:%M}"}
    if form is not None:
        values = {field: form[field].value() or "" for field in values}
    return {
        "values": values,
        "place": "" if meeting.is_all_day else zones.zone_place(name),
        "whole_days": meeting.is_all_day,
        "faulty": list(form.errors) if form is not None else [],
    }
