"""Presence in words, in the active language and time zone."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.days import day_words


def hour_words(moment: dt.datetime) -> str:
    """`moment`'s hour inside a sentence, in the current zone: "11 h", "11 h 30"."""
    local = timezone.localtime(moment)
    if local.minute == 0:
        return _("%(hour)d\u00a0h") % {"hour": local.hour}
    # Translators: an hour and minutes inside a sentence, as in "jusqu’à 11 h 30".
    return _("%(hour)d\u00a0h\u00a0%(minute)02d") % {"hour": local.hour, "minute": local.minute}


def _is_today(moment: dt.datetime, now: dt.datetime) -> bool:
    return timezone.localtime(moment).date() == timezone.localtime(now).date()


def _day_words(moment: dt.datetime) -> str:
    # Translators: Django date format of a day inside a sentence, as in "jusqu’au 24 novembre".
    return day_words(timezone.localtime(moment), _("j F"))


def in_meeting_words(until: dt.datetime | None, now: dt.datetime) -> str:
    if until is None:
        return _("En réunion")
    if _is_today(until, now):
        return _("En réunion jusqu’à %(hour)s") % {"hour": hour_words(until)}
    return _("En réunion jusqu’au %(day)s") % {"day": _day_words(until)}


def do_not_disturb_words(until: dt.datetime | None, now: dt.datetime) -> str:
    if until is None:
        return _("Ne pas déranger")
    if _is_today(until, now):
        return _("Ne pas déranger, jusqu’à %(hour)s") % {"hour": hour_words(until)}
    return _("Ne pas déranger, jusqu’au %(day)s") % {"day": _day_words(until)}


def away_words(
    since: dt.datetime | None, until: dt.datetime | None, now: dt.datetime, *, last_day: dt.date | None = None
) -> str:
    """An end chosen by the person says more than the minutes since they left; a last day is a day of their own calendar."""
    if last_day is not None and last_day <= timezone.localtime(now).date():
        return _("Absent aujourd’hui")
    if last_day is not None:
        # Translators: Django date format of a day inside a sentence, as in "jusqu’au 24 novembre".
        return _("Absent jusqu’au %(day)s") % {"day": day_words(last_day, _("j F"))}
    if until is not None and _is_today(until, now):
        return _("Absent jusqu’à %(hour)s") % {"hour": hour_words(until)}
    if until is not None:
        return _("Absent jusqu’au %(day)s") % {"day": _day_words(until)}
    if since is None:
        return _("Absent")
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return _("Absent")
    if minutes < 60:
        return ngettext("Absent depuis %(count)s\u00a0min", "Absent depuis %(count)s\u00a0min", minutes) % {
            "count": minutes
        }
    hours = minutes // 60
    return ngettext("Absent depuis %(count)s\u00a0h", "Absent depuis %(count)s\u00a0h", hours) % {"count": hours}


def offline_words(until: dt.datetime | None, now: dt.datetime) -> str:
    if until is None:
        return _("Hors ligne")
    if _is_today(until, now):
        return _("Hors ligne, reprend à %(hour)s") % {"hour": hour_words(until)}
    return _("Hors ligne, reprend le %(day)s") % {"day": _day_words(until)}
