"""Signs and words of votes, for the poll templates."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from visio.meetings import words
from visio.polls.board import SIGNS, DateLine
from visio.polls.models import Choice

register = template.Library()


@register.simple_tag
def vote_words(choice: str) -> SafeString:
    """ "✓ Oui": the sign is for the eye, the word for everybody."""
    if choice not in SIGNS:
        return SafeString("")
    return format_html(
        '<span class="po-sign" aria-hidden="true">{}</span> <span class="po-word">{}</span>',
        SIGNS[choice],
        Choice(choice).label,
    )


@register.simple_tag
def vote_choices() -> list[str]:
    return [choice.value for choice in Choice]


@register.simple_tag
def said(line: DateLine, typed: dict[str, str] | None) -> str:
    """The choice that is marked: what was posted, else what was voted."""
    return typed.get(line.key, "") if typed is not None else line.mine


@register.simple_tag
def short_day(at: dt.datetime, zone: str = "") -> str:
    """ "mar. 24 nov.", with the year when it is not this one's."""
    name = zone or str(timezone.get_current_timezone())
    today = words.local(timezone.now(), name).date()
    return words.short_day(words.local(at, name).date(), today=today)


@register.simple_tag
def hour(at: dt.datetime, zone: str = "") -> str:
    return words.hour(at, zone or str(timezone.get_current_timezone()))


@register.simple_tag
def minutes_words(minutes: int) -> str:
    """ "1 h 30"."""
    return words.duration(minutes)
