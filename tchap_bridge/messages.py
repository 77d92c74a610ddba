"""What the bridge writes into a room. Pure: facts in, plain text and HTML out, in the organiser's language.

Whatever people typed (titles, places) is put on one line in the plain text and escaped in the HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.days import day_words
from visio.meetings import wallclock, words
from visio.meetings.recurrence import parse_rule
from visio.meetings.rule_words import describe
from visio.meetings.zones import zone_place

# Clients cut longer names.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Text:
    """A message in both of its forms (m.text `body` and org.matrix.custom.html `formatted_body`)."""

    body: str
    html: str


@dataclass(frozen=True)
class When:
    """From and to (aware), told on the clocks of `time_zone` (IANA)."""

    starts_at: datetime
    ends_at: datetime
    time_zone: str
    # The instants are midnights of `time_zone`: dates are told, no hours.
    is_all_day: bool = False


@dataclass(frozen=True)
class Repeat:
    """How a series repeats: its rule (canonical RRULE) from the wall clock `start` (naive), `minutes` each time."""

    rule: str
    start: datetime
    minutes: int
    time_zone: str
    is_all_day: bool = False

    @property
    def endless(self) -> str:
        """The rule without its end."""
        return str(replace(parse_rule(self.rule, is_all_day=self.is_all_day), count=None, until=None))


def one_line(text: str) -> str:
    """`text` without line breaks and control characters: a title must not forge a second line of a message."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def when_words(when: When) -> str:
    """ "Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)", a whole day without hours; in the active language."""
    first = words.local(when.starts_at, when.time_zone).date()
    if when.is_all_day:
        last = words.local(when.ends_at - timedelta(microseconds=1), when.time_zone).date()
        if last <= first:
            return words.full_day(first)
        pattern = _("l j F Y")
        days = {"first": day_words(first, pattern), "last": day_words(last, pattern)}
        return _("Du %(first)s au %(last)s") % days
    hours = words.hours(when.starts_at, when.ends_at, when.time_zone)
    return _timed(words.full_day(first), hours, when.time_zone)


def _timed(day: str, hours: str, time_zone: str) -> str:
    return _("%(day)s, %(hours)s (%(place)s)") % {"day": day, "hours": hours, "place": zone_place(time_zone)}


def rule_words(repeat: Repeat) -> str:
    """ "Toutes les semaines, le mardi", in the active language."""
    rule = parse_rule(repeat.rule, is_all_day=repeat.is_all_day)
    return one_line(describe(rule, repeat.start, zone=repeat.time_zone))


def timing_words(timing: When | Repeat) -> str:
    """When a meeting takes place, in one line; of a series the rule and the hours."""
    if isinstance(timing, When):
        return when_words(timing)
    if timing.is_all_day:
        return rule_words(timing)
    span = wallclock.span(timing.start.date(), timing.start.time(), timing.time_zone, timing.minutes)
    return _timed(rule_words(timing), words.hours(*span, timing.time_zone), timing.time_zone)


def next_date_words(when: When, *, is_over: bool) -> str:
    if is_over:
        return _("Dernière date : %(when)s") % {"when": when_words(when)}
    return _("Prochaine date : %(when)s") % {"when": when_words(when)}


def name(title: str, repeat: Repeat | None, *, language: str) -> str:
    """The room's name: the title, and of a series its rule where there is room for it."""
    with translation.override(language):
        if repeat is None:
            return one_line(title)
        full = f"{one_line(title)} · {rule_words(repeat)}"
        return full if len(full) <= LONGEST_NAME else one_line(title)


def topic(
    when: When, *, join_url: str, page_url: str, language: str, repeat: Repeat | None = None, is_over: bool = False
) -> str:
    """The room's topic: when, and the link into the call (or to the meeting's page when it has no call)."""
    with translation.override(language):
        said = when_words(when)
        if repeat is not None:
            said = f"{rule_words(repeat)} · {next_date_words(when, is_over=is_over)}"
        if join_url:
            return _("%(when)s · Rejoindre la visio : %(url)s") % {"when": said, "url": join_url}
        return _("%(when)s · Page de la réunion : %(url)s") % {"when": said, "url": page_url}


def card(
    title: str,
    when: When,
    *,
    place: str,
    join_url: str,
    page_url: str,
    language: str,
    repeat: Repeat | None = None,
    is_over: bool = False,
) -> Text:
    """The pinned message: everything one needs to come."""
    with translation.override(language):
        lines = [(one_line(title), format_html("<strong>{}</strong>", one_line(title)))]
        if repeat is None:
            lines.append(_plain(when_words(when)))
        else:
            lines += [_plain(rule_words(repeat)), _plain(next_date_words(when, is_over=is_over))]
        if one_line(place):
            lines.append(_plain(_("Lieu : %(place)s") % {"place": one_line(place)}))
        if join_url:
            lines.append(_linked(_("Rejoindre la visio"), join_url))
        lines.append(_linked(_("Page de la réunion"), page_url))
        return _text(lines)


def moved(before: When | Repeat, after: When | Repeat, *, language: str, coming: When | None = None) -> Text:
    """`coming`: the next date of what is a series now."""
    with translation.override(language):
        is_series = isinstance(before, Repeat) or isinstance(after, Repeat)
        lines = [
            _bold(_("La série change.") if is_series else _("La réunion est déplacée.")),
            _plain(_("Avant : %(when)s") % {"when": timing_words(before)}),
            _plain(_("Maintenant : %(when)s") % {"when": timing_words(after)}),
        ]
        if coming is not None:
            lines.append(_plain(next_date_words(coming, is_over=False)))
        return _text(lines)


def renamed(title: str, *, language: str) -> Text:
    with translation.override(language):
        return _text([_plain(_("La réunion s’appelle maintenant « %(title)s ».") % {"title": one_line(title)})])


def placed(place: str, *, language: str) -> Text:
    """The place changed; "" says that there is none any more."""
    with translation.override(language):
        if one_line(place):
            return _text([_plain(_("Nouveau lieu : %(place)s") % {"place": one_line(place)})])
        return _text([_plain(_("La réunion n’a plus de lieu."))])


def cancelled(when: When, *, language: str, is_series: bool = False) -> Text:
    """`when`: its time, of a series the date that came next."""
    with translation.override(language):
        if is_series:
            lines = [
                _bold(_("La série est annulée.")),
                _plain(
                    _("Aucune des dates à venir n’aura lieu, à partir de celle-ci : %(when)s")
                    % {"when": when_words(when)}
                ),
                _plain(_("Ce salon est fermé ; il reste lisible.")),
            ]
            return _text(lines)
        return _text(
            [
                _bold(_("La réunion est annulée.")),
                _plain(_("Elle devait avoir lieu : %(when)s") % {"when": when_words(when)}),
                _plain(_("Ce salon est fermé ; il reste lisible.")),
            ]
        )


def detached(*, language: str) -> Text:
    """The organiser no longer wants a room for this meeting."""
    with translation.override(language):
        return _text([_plain(_("Ce salon n’est plus celui de la réunion. Il est fermé ; il reste lisible."))])


def reopened(*, language: str) -> Text:
    with translation.override(language):
        return _text([_plain(_("Ce salon est de nouveau celui de la réunion."))])


def answer_to_visio(
    *,
    join_url: str,
    page_url: str,
    is_cancelled: bool,
    language: str,
    coming: When | None = None,
    is_over: bool = False,
) -> Text:
    """What "!visio" is answered. `coming`: the date of a series that goes on or comes next (its last one when it is over)."""
    with translation.override(language):
        if is_cancelled:
            return _text([_plain(_("La réunion est annulée."))])
        lines = [] if coming is None else [_plain(next_date_words(coming, is_over=is_over))]
        if join_url:
            return _text([*lines, _linked(_("Rejoindre la visio"), join_url)])
        none = _plain(_("Cette réunion n’a pas de salle Visio."))
        return _text([*lines, none, _linked(_("Page de la réunion"), page_url)])


def date_moved(before: When, after: When, *, language: str) -> Text:
    """One date of a series takes place at another time."""
    with translation.override(language):
        return _text(
            [
                _bold(_("Une date de la série est déplacée.")),
                _plain(_("Avant : %(when)s") % {"when": when_words(before)}),
                _plain(_("Maintenant : %(when)s") % {"when": when_words(after)}),
            ]
        )


def date_cancelled(when: When, *, language: str) -> Text:
    with translation.override(language):
        return _text(
            [
                _bold(_("Une date de la série est annulée.")),
                _plain(_("Elle devait avoir lieu : %(when)s") % {"when": when_words(when)}),
            ]
        )


def date_kept(when: When, *, language: str) -> Text:
    """A date that was said to be cancelled takes place after all."""
    with translation.override(language):
        return _text([_plain(_("Cette date a lieu finalement : %(when)s") % {"when": when_words(when)})])


def date_renamed(when: When, title: str, *, language: str) -> Text:
    with translation.override(language):
        said = _("%(when)s : la réunion s’appelle ce jour-là « %(title)s ».")
        return _text([_plain(said % {"when": when_words(when), "title": one_line(title)})])


def date_placed(when: When, place: str, *, language: str) -> Text:
    with translation.override(language):
        if one_line(place):
            said = _("%(when)s : nouveau lieu ce jour-là : %(place)s")
            return _text([_plain(said % {"when": when_words(when), "place": one_line(place)})])
        return _text([_plain(_("%(when)s : plus de lieu ce jour-là.") % {"when": when_words(when)})])


def many_dates(count: int, *, page_url: str, language: str) -> Text:
    """Instead of more messages than anybody would read."""
    with translation.override(language):
        said = ngettext("%(count)d date de la série a changé.", "%(count)d dates de la série ont changé.", count)
        return _text([_bold(said % {"count": count}), _linked(_("Page de la réunion"), page_url)])


def followed(title: str, timing: When | Repeat, first: When, *, room_url: str, page_url: str, language: str) -> Text:
    """From `first` on, what was this series is a meeting of its own, with its own room ("" when it has none)."""
    with translation.override(language):
        lines = [
            _bold(
                _("La suite de cette série est maintenant une autre réunion : « %(title)s ».")
                % {"title": one_line(title)}
            ),
            _plain(_("À partir de : %(when)s") % {"when": when_words(first)}),
        ]
        if isinstance(timing, Repeat):
            lines.append(_plain(timing_words(timing)))
        if room_url:
            lines.append(_linked(_("Salon Tchap de la suite"), room_url))
        lines.append(_linked(_("Page de la suite"), page_url))
        return _text(lines)


def farewell(*, language: str, is_date_guest: bool = False) -> str:
    """The reason shown to whom the bridge takes out of the room. `is_date_guest`: invited to another date of the series."""
    with translation.override(language):
        if is_date_guest:
            return _("Vous n’êtes pas dans la liste des participants de la prochaine date.")
        return _("Vous n’êtes plus dans la liste des participants de la réunion.")


_Line = tuple[str, SafeString]


def _plain(line: str) -> _Line:
    return line, escape(line)


def _bold(line: str) -> _Line:
    return line, format_html("<strong>{}</strong>", line)


def _linked(words_: str, url: str) -> _Line:
    plain = _("%(words)s : %(url)s") % {"words": words_, "url": url}
    return plain, format_html('<a href="{}">{}</a>', url, words_)


def _text(lines: Iterable[_Line]) -> Text:
    kept = list(lines)
    html = mark_safe("<br>").join(line_html for _line, line_html in kept)
    return Text(body="\n".join(line for line, _html in kept), html=str(html))
