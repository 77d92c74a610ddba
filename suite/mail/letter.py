"""The look of a plain letter: one template for reminders, polls, digests and decisions, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation


@dataclass(frozen=True)
class Button:
    words: str
    url: str


@dataclass(frozen=True)
class Fact:
    """One line of the table: a label and what it says; `url` makes it a link."""

    label: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and its lines: a day of a digest, the dates of a poll."""

    title: str
    facts: Sequence[Fact]


def render_letter(
    *,
    language: str,
    subject: str,
    kicker: str,
    title: str,
    paragraphs: Sequence[str] = (),
    when: str = "",
    facts: Sequence[Fact] = (),
    sections: Sequence[Section] = (),
    buttons: Sequence[Button] = (),
    foot: Sequence[str] = (),
    unsubscribe_url: str = "",
) -> tuple[str, str]:
    """(text, html) in `language`; every part is plain text, escaped here. The first button is the main one."""
    context = {
        "language": language,
        "subject": subject,
        "kicker": kicker,
        "title": title,
        "paragraphs": paragraphs,
        "when": when,
        "facts": facts,
        "sections": sections,
        "buttons": buttons,
        "foot": foot,
        "unsubscribe_url": unsubscribe_url,
    }
    with translation.override(language):
        return render_to_string("mail/letter.txt", context), render_to_string("mail/letter.html", context)
