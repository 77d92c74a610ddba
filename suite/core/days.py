"""Days in words, in the active language; every day that people read goes through here.

In French the first of a month is an ordinal, « mardi 1er décembre », and no date format of Django's can say so. The filter
`day_words` is there in every template.
"""

from __future__ import annotations

import datetime as dt
import re

from django import template
from django.utils import formats, translation

register = template.Library()
# A day of the month in a Django date format, and not a letter that stands for itself.
_DAY = re.compile(r"(?<!\\)j")


@register.filter(expects_localtime=True)
def day_words(day: dt.date, pattern: str) -> str:
    """`day` (or a datetime, in its own zone) by a date format: a pattern, or a name such as "DATE_FORMAT"."""
    written = str(formats.get_format(pattern, use_l10n=True))
    if day.day == 1 and (translation.get_language() or "").startswith("fr"):
        written = _DAY.sub(r"j\\e\\r", written)
    return formats.date_format(day, written)
