"""Days, hours and ages in words, in the reader's language. Pure: the clock and the zone are passed in."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.days import day_words


def local(at: dt.datetime, zone_name: str) -> dt.datetime:
    return at.astimezone(zoneinfo.ZoneInfo(zone_name))


def hour(at: dt.datetime, zone_name: str) -> str:
    """ "10:00": lists and forms (inside a sentence the words differ)."""
    return local(at, zone_name).strftime("%H:%M")


def hours(starts_at: dt.datetime, ends_at: dt.datetime, zone_name: str) -> str:
    """ "10:00 – 11:00", with the last day when the meeting ends on another one: "22:00 – ven. 27 nov., 01:00"."""
    start, end = local(starts_at, zone_name), local(ends_at, zone_name)
    if start.date() == end.date():
        return f"{start:%H:%M} – {end:%H:%M}"
    return f"{start:%H:%M} – {short_day(end.date(), today=start.date())}, {end:%H:%M}"


def long_day(day: dt.date, *, today: dt.date) -> str:
    """ "Mardi 24 novembre", with the year when it is not this one."""
    return capfirst(_long_day(day, today=today))


def _long_day(day: dt.date, *, today: dt.date) -> str:
    # Translators: Django date format of a day within this year, as in "mardi 24 novembre".
    pattern = _("l j F") if day.year == today.year else _("l j F Y")
    return day_words(day, pattern)


def full_day(day: dt.date) -> str:
    """ "Mardi 24 novembre 2026"."""
    return capfirst(day_words(day, _("l j F Y")))


def short_day(day: dt.date, *, today: dt.date) -> str:
    """ "jeu. 26 nov.", with the year when it is not this one."""
    # Translators: Django date format of a short day, as in "jeu. 26 nov.".
    pattern = _("D. j N") if day.year == today.year else _("D. j N Y")
    return day_words(day, pattern)


def day_heading(day: dt.date, *, today: dt.date) -> str:
    """A list's heading: "Aujourd’hui, mardi 24 novembre", "Demain, …", "Jeudi 26 novembre"."""
    near = {0: _("Aujourd’hui"), 1: _("Demain"), -1: _("Hier")}.get((day - today).days)
    # Inside a sentence a day keeps the case of its language: "Today, Tuesday 24 November".
    return f"{near}, {_long_day(day, today=today)}" if near else long_day(day, today=today)


def moment(at: dt.datetime, *, now: dt.datetime, zone_name: str) -> str:
    """When something happened: "à l’instant", "il y a 4 min", "à 16:41", "hier à 16:41", "20 nov. à 11:02"."""
    age = now - at
    if dt.timedelta(0) <= age < dt.timedelta(minutes=1):
        return _("à l’instant")
    if dt.timedelta(0) <= age < dt.timedelta(minutes=60):
        minutes = int(age.total_seconds() // 60)
        return ngettext("il y a %(count)d min", "il y a %(count)d min", minutes) % {"count": minutes}
    here, today = local(at, zone_name), local(now, zone_name).date()
    clock = f"{here:%H:%M}"
    if here.date() == today:
        return _("à %(hour)s") % {"hour": clock}
    if here.date() == today - dt.timedelta(days=1):
        return _("hier à %(hour)s") % {"hour": clock}
    # Translators: Django date format of a past day, as in "20 nov.".
    pattern = _("j N") if here.year == today.year else _("j N Y")
    return _("%(day)s à %(hour)s") % {"day": day_words(here.date(), pattern), "hour": clock}


def duration(minutes: int) -> str:
    """ "45 min", "1 h", "1 h 30", "2 j 4 h"."""
    days, rest = divmod(minutes, 24 * 60)
    whole, left = divmod(rest, 60)
    parts = []
    if days:
        parts.append(_("%(days)d j") % {"days": days})
    if whole and left:
        # Translators: hours and minutes of a duration, as in "1 h 30".
        parts.append(_("%(hours)d h %(minutes)02d") % {"hours": whole, "minutes": left})
    elif whole:
        parts.append(_("%(hours)d h") % {"hours": whole})
    elif left:
        parts.append(_("%(minutes)d min") % {"minutes": left})
    return " ".join(parts)


def whole_days(starts_at: dt.datetime, ends_at: dt.datetime, zone_name: str) -> str:
    """ "Toute la journée", or "jusqu’au ven. 27 nov." when it lasts several; the instants are midnights of `zone_name`."""
    first = local(starts_at, zone_name).date()
    last = local(ends_at, zone_name).date() - dt.timedelta(days=1)
    if last <= first:
        return _("Toute la journée")
    return _("Journées entières, jusqu’au %(day)s") % {"day": short_day(last, today=first)}
