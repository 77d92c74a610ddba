"""What the bridge writes into a room. Pure: facts in, plain text and HTML out, in the organiser's language.

Whatever people typed (titles, places) is put on one line in the plain text and escaped in the HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from visio.meetings import words
from visio.meetings.zones import zone_place


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


def one_line(text: str) -> str:
    """`text` without line breaks and control characters: a title must not forge a second line of a message."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def when_words(when: When) -> str:
    """ "Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)", in the active language."""
    day = words.full_day(words.local(when.starts_at, when.time_zone).date())
    hours = words.hours(when.starts_at, when.ends_at, when.time_zone)
    return _("%(day)s, %(hours)s (%(place)s)") % {"day": day, "hours": hours, "place": zone_place(when.time_zone)}


def topic(when: When, *, join_url: str, page_url: str, language: str) -> str:
    """The room's topic: when, and the link into the call (or to the meeting's page when it has no call)."""
    with translation.override(language):
        if join_url:
            return _("%(when)s · Rejoindre la visio : %(url)s") % {"when": when_words(when), "url": join_url}
        return _("%(when)s · Page de la réunion : %(url)s") % {"when": when_words(when), "url": page_url}


def card(title: str, when: When, *, place: str, join_url: str, page_url: str, language: str) -> Text:
    """The pinned message: everything one needs to come."""
    with translation.override(language):
        lines = [(one_line(title), format_html("<strong>{}</strong>", one_line(title))), _plain(when_words(when))]
        if one_line(place):
            lines.append(_plain(_("Lieu : %(place)s") % {"place": one_line(place)}))
        if join_url:
            lines.append(_linked(_("Rejoindre la visio"), join_url))
        lines.append(_linked(_("Page de la réunion"), page_url))
        return _text(lines)


def moved(before: When, after: When, *, language: str) -> Text:
    with translation.override(language):
        return _text(
            [
                _bold(_("La réunion est déplacée.")),
                _plain(_("Avant : %(when)s") % {"when": when_words(before)}),
                _plain(_("Maintenant : %(when)s") % {"when": when_words(after)}),
            ]
        )


def renamed(title: str, *, language: str) -> Text:
    with translation.override(language):
        return _text([_plain(_("La réunion s’appelle maintenant « %(title)s ».") % {"title": one_line(title)})])


def placed(place: str, *, language: str) -> Text:
    """The place changed; "" says that there is none any more."""
    with translation.override(language):
        if one_line(place):
            return _text([_plain(_("Nouveau lieu : %(place)s") % {"place": one_line(place)})])
        return _text([_plain(_("La réunion n’a plus de lieu."))])


def cancelled(when: When, *, language: str) -> Text:
    with translation.override(language):
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


def answer_to_visio(*, join_url: str, page_url: str, is_cancelled: bool, language: str) -> Text:
    """What "!visio" is answered."""
    with translation.override(language):
        if is_cancelled:
            return _text([_plain(_("La réunion est annulée."))])
        if join_url:
            return _text([_linked(_("Rejoindre la visio"), join_url)])
        return _text([_plain(_("Cette réunion n’a pas de salle Visio.")), _linked(_("Page de la réunion"), page_url)])


def farewell(*, language: str) -> str:
    """The reason shown to whom the bridge takes out of the room."""
    with translation.override(language):
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
