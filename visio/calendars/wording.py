"""The team's week in words, in the active language."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from suite.core.days import day_words
from visio.calendars.team import Block, Cell, Kind
from visio.meetings import words
from visio.meetings.models import Answer


@dataclass(frozen=True)
class DayHead:
    date: dt.date
    name: str
    short: str
    number: int
    is_today: bool


@dataclass(frozen=True)
class Chip:
    """One state of presence and how many people are in it; `one` and `many` let the page count again by itself."""

    state: str
    count: int
    words: str
    one: str
    many: str


def day_head(date: dt.date, today: dt.date) -> DayHead:
    """ "Mardi 24", "mar.", 24."""
    # Translators: Django date format of a weekday and the day of the month, as in "mardi 24".
    name = capfirst(day_words(date, _("l j")))
    return DayHead(date, name, date_format(date, "D"), date.day, date == today)


def dates(first: dt.date, last: dt.date) -> str:
    """ "23 – 27 novembre 2026", "30 novembre – 4 décembre 2026"."""
    # Translators: Django date formats; with the year, without, and the first day in "23 – 27 novembre 2026".
    whole, within_year, within_month = _("j F Y"), _("j F"), _("j")
    if first.year != last.year:
        pattern = whole
    else:
        pattern = within_year if first.month != last.month else within_month
    return f"{day_words(first, pattern)} – {day_words(last, whole)}"


def state_words(state: str, count: int) -> str:
    """What follows the figure: "disponibles"."""
    match state:
        case "available":
            return ngettext("disponible", "disponibles", count)
        case "away":
            return ngettext("absent", "absents", count)
        case "in_meeting":
            return ngettext("en réunion", "en réunion", count)
        case "do_not_disturb":
            return ngettext("ne pas déranger", "ne pas déranger", count)
        case "offline":
            return ngettext("hors ligne", "hors ligne", count)
        case _:
            return ngettext("en pause", "en pause", count)


def chips(counts: Mapping[str, int]) -> list[Chip]:
    """Every state in a fixed order; "unknown" only when somebody is."""
    states = ["available", "away", "in_meeting", "do_not_disturb", "offline", *(["unknown"] * ("unknown" in counts))]
    return [
        Chip(state, counts.get(state, 0), state_words(state, counts.get(state, 0)), *_forms(state)) for state in states
    ]


def _forms(state: str) -> tuple[str, str]:
    return state_words(state, 1), state_words(state, 2)


def cell_heading(agent: Agent, cell: Cell) -> str:
    """ "Claire Morel – mardi 24 novembre"."""
    day = day_words(cell.date, _("l j F"))
    return f"{agent.full_name} – {day}"


def cell_label(agent: Agent, cell: Cell, zone: str) -> str:
    """What a screen reader says of a cell: name, day, number of meetings, then each."""
    parts = [agent.full_name, day_words(cell.date, _("l j F"))]
    number = len(cell.blocks)
    if number == 0:
        parts.append(_("aucune réunion"))
    else:
        parts.append(ngettext("%(count)d réunion", "%(count)d réunions", number) % {"count": number})
    for block in cell.blocks:
        hours, title, note = block_words(block, zone)
        parts.append(f"{hours} {title}{f' ({note})' if note else ''}")
    return ", ".join(parts)


def block_words(block: Block, zone: str) -> tuple[str, str, str]:
    """(hours, title, note): ("10:00 – 11:00", "Occupé", "") or ("10:00 – 11:00", "Revue", "peut-être")."""
    hours = words.hours(block.entry.starts_at, block.entry.ends_at, zone)
    if block.kind == Kind.BUSY:
        return hours, _("Occupé (réunion privée)"), ""
    notes = {Answer.TENTATIVE: _("peut-être"), Answer.NEEDS_ACTION: _("sans réponse")}
    return hours, block.entry.title, notes.get(Answer(block.entry.answer), "")
