"""Small words for the portal's templates."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from suite.core.days import day_words
from suite.live.presence_rules import STATES
from suite.live.presence_words import hour_words
from visio.meetings import words

register = template.Library()


@register.filter
def in_sentence(moment: dt.datetime) -> str:
    """An hour inside a sentence: "11 h 30"."""
    return hour_words(moment)


@register.filter
def duration(length: dt.timedelta) -> str:
    """ "1 h 30"."""
    return words.duration(int(length.total_seconds() // 60))


@register.simple_tag
def lasting(starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """How long a meeting lasts: "45 min"."""
    return duration(ends_at - starts_at)


@register.simple_tag
def near_day(moment: dt.datetime, now: dt.datetime) -> str:
    """The day in a few letters: "aujourd’hui", "demain", "jeu. 26 nov."."""
    day, today = timezone.localtime(moment).date(), timezone.localtime(now).date()
    near = {0: _("aujourd’hui"), 1: _("demain")}.get((day - today).days)
    return near or words.short_day(day, today=today)


@register.filter
def few_day(moment: dt.datetime) -> str:
    """ "jeu. 26": a day of the next two weeks."""
    # Translators: Django date format of a weekday in short and the day of the month, as in "jeu. 26".
    return day_words(timezone.localtime(moment), _("D. j"))


@register.filter
def weekday(moment: dt.datetime) -> str:
    """ "jeudi", within the next week."""
    return date_format(timezone.localtime(moment), "l")


@register.filter
def times(number: int, factor: int) -> int:
    return number * factor


@register.simple_tag
def presence_order() -> str:
    """The states in the order in which lists of people show them (live/order.js)."""
    return " ".join(STATES)
