"""What a letter says of its meeting: subject, what changed, when it is. In the language that is active.

A letter tells one date (a one-off, or one date of a series) or a whole series; for a series it shows one date as an
example, the running or next one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.days import day_words
from suite.core.plain import one_line
from visio.meetings import words
from visio.meetings.models import Delivery, DeliveryReason, Meeting, Method, Occurrence
from visio.meetings.rule_words import describe
from visio.meetings.rules import parse_rule
from visio.meetings.zones import zone_where

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class OtherDate:
    """A date that changed by itself since the reader's last letter, told in the letter of its series. `before`: what it was."""

    occurrence: Occurrence
    before: Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What one letter is about. `zone` is the reader's; `is_series`: the letter tells the whole series."""

    delivery: Delivery
    meeting: Meeting
    occurrence: Occurrence
    zone: str
    is_series: bool
    is_first: bool = True  # the date shown is the series' first
    others: tuple[OtherDate, ...] = ()

    @property
    def is_date_of_series(self) -> bool:
        return self.meeting.is_series and not self.is_series

    @property
    def before(self) -> Mapping[str, Any]:
        found: dict[str, Any] = self.delivery.before
        return found

    @property
    def title(self) -> str:
        return one_line(self._own(self.occurrence.title, self.meeting.title))

    @property
    def place(self) -> str:
        return one_line(self._own(self.occurrence.place, self.meeting.place))

    @property
    def description(self) -> str:
        return self._own(self.occurrence.description, self.meeting.description)

    def _own(self, own: str | None, inherited: str) -> str:
        return inherited if own is None or self.is_series else own

    @property
    def reason(self) -> DeliveryReason:
        return DeliveryReason(self.delivery.reason)


def when(told: Told) -> str:
    return span_words(
        told.occurrence.starts_at, told.occurrence.ends_at, told.meeting.time_zone, told.meeting.is_all_day
    )


def when_label(told: Told) -> str:
    """What date of a series is shown; "" when there is only one."""
    if not told.is_series or told.delivery.method == Method.CANCEL:
        return ""
    return _("Première date") if told.is_first else _("Prochaine date")


def repeats(told: Told) -> str:
    """ "Toutes les semaines, le mardi, jusqu’au 18 décembre 2026"; for one date, that it belongs to a series."""
    if told.is_series:
        return rule_text(told.meeting, told.meeting.rrule)
    return _("Une date d’une réunion régulière.") if told.is_date_of_series else ""


def rule_text(meeting: Meeting, rule: str) -> str:
    if not rule:
        return ""
    start = dt.datetime.combine(meeting.start_date, meeting.start_time)
    return describe(parse_rule(rule, is_all_day=meeting.is_all_day), start, zone=meeting.time_zone)


def subject(told: Told) -> str:
    values = {"title": told.title, "when": _short(told), "before": _short_before(told), "what": _changed(told)}
    return _subject_pattern(told, values) % values


def _subject_pattern(told: Told, values: Mapping[str, str]) -> str:
    reason = told.reason
    if told.delivery.method == Method.CANCEL:
        return _("Annulé : %(title)s, toutes les dates") if told.is_series else _("Annulé : %(title)s, %(when)s")
    if reason == DeliveryReason.MOVED and values["before"] and values["before"] != values["when"]:
        if values["what"]:
            return _("Modifié (%(what)s) : %(title)s, %(when)s au lieu de %(before)s")
        return _("Modifié : %(title)s, %(when)s au lieu de %(before)s")
    if reason == DeliveryReason.CHANGED and values["what"]:
        return _("Modifié (%(what)s) : %(title)s, %(when)s")
    if reason == DeliveryReason.INVITED and told.is_series:
        return (
            _("Invitation : %(title)s, à partir du %(when)s")
            if told.is_first
            else _("Invitation : %(title)s, %(when)s")
        )
    return {
        DeliveryReason.INVITED: _("Invitation : %(title)s, %(when)s"),
        DeliveryReason.COUNTER_REFUSED: _("Horaire maintenu : %(title)s, %(when)s"),
        DeliveryReason.REFRESHED: _("Version actuelle : %(title)s, %(when)s"),
    }.get(reason, _("Modifié : %(title)s, %(when)s"))


def was(told: Told) -> str:
    """The old time, beside the new one; for a series that repeats otherwise, the old rule too."""
    if told.reason != DeliveryReason.MOVED or told.delivery.method == Method.CANCEL:
        return ""
    said = span_words(*_times_before(told), told.before["time_zone"], _was_all_day(told))
    if told.before["time_zone"] != told.meeting.time_zone and not _was_all_day(told):
        said = f"{said} {zone_where(told.before['time_zone'])}"
    old_rule = _old_rule(told)
    return f"{said} ; {old_rule}" if old_rule else said


def when_note(told: Told) -> str:
    """Where that clock hangs, and for how long."""
    occurrence, meeting = told.occurrence, told.meeting
    span = occurrence.ends_at - occurrence.starts_at
    if meeting.is_all_day:
        return _("Journée entière") if round(span / _DAY) <= 1 else _("Journées entières")
    pattern = _("Heure locale %(where)s, durée %(duration)s")
    if told.reason == DeliveryReason.MOVED and not _was_all_day(told):
        starts_at, ends_at = _times_before(told)
        if ends_at - starts_at == span:
            pattern = _("Heure locale %(where)s, durée inchangée (%(duration)s)")
    minutes = round(span.total_seconds() / 60)
    return pattern % {"where": zone_where(meeting.time_zone), "duration": words.duration(minutes)}


def elsewhere(told: Told) -> str:
    """The reader's own clock, when it shows something else. A day is nobody's clock (R14)."""
    occurrence, meeting = told.occurrence, told.meeting
    if meeting.is_all_day or _same_clock(meeting.time_zone, told.zone, occurrence):
        return ""
    said = span_words(occurrence.starts_at, occurrence.ends_at, told.zone, is_all_day=False)
    return _("Pour vous, %(where)s : %(when)s") % {"where": zone_where(told.zone), "when": said}


def proposed(told: Told) -> str:
    """The time that the reader had proposed and that was not taken; "" in every other letter."""
    if told.reason != DeliveryReason.COUNTER_REFUSED or "proposed_starts_at" not in told.before:
        return ""
    starts_at, ends_at = (
        dt.datetime.fromisoformat(told.before[f"proposed_{name}"]) for name in ("starts_at", "ends_at")
    )
    return span_words(starts_at, ends_at, told.meeting.time_zone, told.meeting.is_all_day)


def unchanged(told: Told) -> str:
    """What a moved meeting keeps: only what the row lets us know."""
    meeting, before = told.meeting, told.before
    if told.reason != DeliveryReason.MOVED or told.delivery.method == Method.CANCEL:
        return ""
    kept = []
    if meeting.room is not None and before.get("room") == meeting.room.slug:
        kept.append(_("le lien Visio"))
    if before.get("title") == told.title:
        kept.append(_("le titre"))
    if told.place and before.get("place") == told.place:
        kept.append(_("le lieu"))
    return capfirst(get_text_list(kept, _("et")))


def old_rule(told: Told) -> str:
    """How it repeated before, when that changed and is told beside the new rule; "" otherwise."""
    return "" if told.reason == DeliveryReason.MOVED else _old_rule(told)


def version(told: Told) -> str:
    changed = words.local(told.meeting.changed_at, told.zone)
    # Translators: Django date format of a day in "Version 3 du 23 novembre, 16:41".
    day = day_words(changed.date(), _("j F"))
    said = _("Version %(version)d du %(day)s, %(hour)s.") % {
        "version": max(told.delivery.revision, told.meeting.revision),
        "day": day,
        "hour": f"{changed:%H:%M}",
    }
    return f"{said} {_effect(told)}".rstrip()


def _effect(told: Told) -> str:
    """What opening the attached file does."""
    if told.delivery.method == Method.CANCEL:
        if told.is_series:
            return _("Le fichier joint retire ces réunions de votre agenda.")
        return _("Le fichier joint retire la réunion de votre agenda.")
    if told.reason == DeliveryReason.INVITED:
        if told.is_series:
            return _("Le fichier joint ajoute ces réunions à votre agenda.")
        return _("Le fichier joint ajoute la réunion à votre agenda.")
    if told.reason == DeliveryReason.COUNTER_REFUSED:
        return ""
    return _("Elle remplace les précédentes dans votre agenda.")


def _changed(told: Told) -> str:
    """What differs from before, in a word each; only what the row lets us know."""
    before, meeting = told.before, told.meeting
    changed = []
    if before.get("title", told.title) != told.title:
        changed.append(_("titre"))
    if before.get("place", told.place) != told.place:
        changed.append(_("lieu"))
    if before.get("room", _slug(meeting)) != _slug(meeting):
        changed.append(_("lien"))
    # Of a move, the text says how it repeats.
    if _old_rule(told) and told.reason != DeliveryReason.MOVED:
        changed.append(_("répétition"))
    if told.others:
        # Translators: in a subject, after what else changed: "Modifié (répétition, 2 dates) : …".
        changed.append(ngettext("une date", "%(count)d dates", len(told.others)) % {"count": len(told.others)})
    return ", ".join(changed)


def _slug(meeting: Meeting) -> str:
    return meeting.room.slug if meeting.room else ""


def _old_rule(told: Told) -> str:
    """The old rule in words, when the letter tells a series that repeats otherwise than before."""
    rule = told.before.get("rule", "")
    if not told.is_series or not rule or rule == told.meeting.rrule:
        return ""
    old = rule_text(told.meeting, rule)
    return "" if old == rule_text(told.meeting, told.meeting.rrule) else old


def only_shortened(told: Told) -> bool:
    """The same rule, which now ends earlier: "this and the following" was cancelled or made a series of its own."""
    old, new = told.before.get("rule", ""), told.meeting.rrule
    if not told.is_series or not old or old == new or told.meeting.until is None:
        return False
    return _endless(old) == _endless(new)


def _endless(rule: str) -> list[str]:
    return sorted(part for part in rule.upper().split(";") if not part.startswith(("UNTIL=", "COUNT=")))


def last_day(meeting: Meeting) -> str:
    if meeting.until is None:
        return ""
    return day_words(words.local(meeting.until, meeting.time_zone).date(), _("l j F Y"))


def day_before(told: Told) -> str:
    if not {"starts_at", "ends_at", "time_zone"} <= told.before.keys():
        return ""
    return day(_times_before(told)[0], told.before["time_zone"], _was_all_day(told))


def _times_before(told: Told) -> tuple[dt.datetime, dt.datetime]:
    return dt.datetime.fromisoformat(told.before["starts_at"]), dt.datetime.fromisoformat(told.before["ends_at"])


def _was_all_day(told: Told) -> bool:
    return bool(told.before.get("is_all_day", told.meeting.is_all_day))


def _short(told: Told) -> str:
    meeting, occurrence = told.meeting, told.occurrence
    said = _short_moment(occurrence.starts_at, meeting.time_zone, meeting, is_all_day=meeting.is_all_day)
    if not meeting.is_all_day and not _same_clock(meeting.time_zone, told.zone, occurrence):
        said = f"{said} {zone_where(meeting.time_zone)}"
    return said


def _short_before(told: Told) -> str:
    if not {"starts_at", "ends_at", "time_zone"} <= told.before.keys():
        return ""
    zone = told.before["time_zone"]
    said = _short_moment(_times_before(told)[0], zone, told.meeting, is_all_day=_was_all_day(told))
    return f"{said} {zone_where(zone)}" if zone != told.meeting.time_zone and not _was_all_day(told) else said


def _short_moment(at: dt.datetime, zone: str, meeting: Meeting, *, is_all_day: bool) -> str:
    start = words.local(at, zone)
    day = words.short_day(start.date(), today=meeting.changed_at.date())
    return day if is_all_day else f"{day} {start:%H:%M}"


def span_words(starts_at: dt.datetime, ends_at: dt.datetime, zone: str, is_all_day: bool) -> str:
    start = words.local(starts_at, zone).date()
    if is_all_day:
        last = start + max(0, round((ends_at - starts_at) / _DAY) - 1) * _DAY
        if last == start:
            return words.full_day(start)
        return _("Du %(first)s au %(last)s") % {"first": _full_day(start), "last": _full_day(last)}
    # "14:00 – 15:00" never breaks over two lines.
    return f"{words.full_day(start)}, {words.hours(starts_at, ends_at, zone).replace(' ', chr(0xA0))}"


def day(starts_at: dt.datetime, zone: str, is_all_day: bool) -> str:
    """ "mardi 24 novembre 2026, 14:00", inside a sentence."""
    start = words.local(starts_at, zone)
    return _full_day(start.date()) if is_all_day else f"{_full_day(start.date())}, {start:%H:%M}"


def _full_day(day: dt.date) -> str:
    return day_words(day, _("l j F Y"))


def _same_clock(one: str, other: str, occurrence: Occurrence) -> bool:
    return all(
        words.local(at, one).utcoffset() == words.local(at, other).utcoffset()
        for at in (occurrence.starts_at, occurrence.ends_at)
    )
