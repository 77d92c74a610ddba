"""The catalogues: complete, with every placeholder, written as their language is; and no French left on other people's pages."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Message
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format, time_format
from django.utils.translation import ngettext

from suite import catalogs
from suite.agents.models import Agent
from suite.agents.tokens import issue_token
from tests import factories
from tests.visio.meetings.pages import client_of
from visio.calendars.wording import dates, day_head, state_words
from visio.meetings import words
from visio.meetings.answers import answer
from visio.meetings.letters import Press
from visio.meetings.models import Attendee, Delivery, Meeting
from visio.meetings.tokens import rsvp_url

OTHERS = ["en", "de"]
PLACEHOLDER = re.compile(r"%\(\w+\)0?\d?[sd]|\{\w+\}|</?\w+>")
# In lower case, since places and brands are called "La Paz" and "La Suite".
FRENCH = {
    *(
        "le",
        "la",
        "les",
        "du",
        "une",
        "vous",
        "votre",
        "vos",
        "pour",
        "dans",
        "avec",
        "sur",
        "par",
        "et",
        "est",
        "sont",
    ),
    *(
        "réunion",
        "réunions",
        "aujourd’hui",
        "demain",
        "aucune",
        "aucun",
        "équipe",
        "salon",
        "courriel",
        "présence",
        "à",
    ),
}


def parts(message: Message) -> list[tuple[str, str]]:
    """(msgid, msgstr) of every form; the last form is the plural."""
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    return list(zip(ids, strings, strict=True))


def translated(language: str) -> list[Message]:
    return [message for message in catalogs.read(language) if message.id != ""]


# --- The files ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_catalogue_is_complete(language: str) -> None:
    assert catalogs.missing(language) == []


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_catalogue_holds_nothing_that_left_the_code(language: str) -> None:
    used = {(message.id, message.context) for message in catalogs.extracted()}
    assert [message.id for message in translated(language) if (message.id, message.context) not in used] == []


def test_no_text_hides_in_an_f_string() -> None:
    """The extraction reads tokens: a gettext call inside an f-string would never reach the catalogues."""
    hidden = []
    for path in catalogs.files():
        if path.suffix != ".py":
            continue
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(outer, ast.JoinedStr):
                called = [node.func for node in ast.walk(outer) if isinstance(node, ast.Call)]
                if any(isinstance(name, ast.Name) and name.id in catalogs.KEYWORDS for name in called):
                    hidden.append(f"{path.relative_to(catalogs.ROOT)}:{outer.lineno}")
    assert hidden == []


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_kept(language: str) -> None:
    faults = []
    for message in translated(language):
        known = {found for said, _string in parts(message) for found in PLACEHOLDER.findall(said)}
        for said, string in parts(message):
            kept = sorted(PLACEHOLDER.findall(string))
            if not set(kept) <= known or (said == parts(message)[-1][0] and kept != sorted(PLACEHOLDER.findall(said))):
                faults.append(string)
    assert faults == []


@pytest.mark.parametrize("language", OTHERS)
def test_punctuation_is_not_french(language: str) -> None:
    """No space before a colon, no guillemets."""
    strings = [string for message in translated(language) for _said, string in parts(message)]
    assert [string for string in strings if re.search(r"\s[:;!?]|[«»]", string)] == []


# --- Numbers, days and hours ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ["0 réunion", "1 réunion", "2 réunions"]),
        ("en", ["0 meetings", "1 meeting", "2 meetings"]),
        ("de", ["0 Besprechungen", "1 Besprechung", "2 Besprechungen"]),
    ],
)
def test_zero_is_counted_as_the_language_does(language: str, said: list[str]) -> None:
    with translation.override(language):
        assert [
            ngettext("%(count)d réunion", "%(count)d réunions", count) % {"count": count} for count in (0, 1, 2)
        ] == said


def test_french_says_nobody_available_in_the_singular() -> None:
    with translation.override("fr"):
        assert [state_words("available", count) for count in (0, 1, 2)] == ["disponible", "disponible", "disponibles"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ["Aujourd’hui, mardi 24 novembre", "Mardi 24", "24 – 27 novembre 2026", "mar. 24 nov."]),
        ("en", ["Today, Tuesday 24 November", "Tuesday 24", "24 – 27 November 2026", "Tue 24 Nov"]),
        ("de", ["Heute, Dienstag, 24. November", "Dienstag, 24.", "24. – 27. November 2026", "Di, 24. Nov."]),
    ],
)
def test_days(language: str, said: list[str]) -> None:
    day, last = dt.date(2026, 11, 24), dt.date(2026, 11, 27)
    with translation.override(language):
        assert [
            words.day_heading(day, today=day),
            day_head(day, day).name,
            dates(day, last),
            words.short_day(day, today=day),
        ] == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ["5 novembre 2026", "05/11/2026", "15:30", "05/11/2026 15:30"]),
        ("en", ["5 November 2026", "05/11/2026", "15:30", "05/11/2026 15:30"]),
        ("de", ["5. November 2026", "05.11.2026", "15:30", "05.11.2026 15:30"]),
    ],
)
def test_formats_put_days_first_and_count_24_hours(language: str, said: list[str]) -> None:
    moment = dt.datetime(2026, 11, 5, 15, 30, tzinfo=dt.UTC)
    with translation.override(language):
        assert [
            date_format(moment),
            date_format(moment, "SHORT_DATE_FORMAT"),
            time_format(moment),
            date_format(moment, "SHORT_DATETIME_FORMAT"),
        ] == said


# --- Pages ----------------------------------------------------------------------------------------------------------
class Said(HTMLParser):
    """Everything that a page says to a person: its text, and the attributes that are shown or read out."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._open: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        quoted = tag != "html" and values.get("lang") == "fr"  # The State's motto, a language's own name.
        silent = tag in {"script", "style"} or quoted or (self._open[-1] if self._open else False)
        if tag not in {"meta", "link", "input", "br", "hr", "img", "use", "path"}:
            self._open.append(silent)
        if not silent:
            self.texts += [
                value
                for name, value in attrs
                if value and (name in {"aria-label", "title", "placeholder", "alt"} or name.startswith("data-"))
            ]

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in {"meta", "link", "input", "br", "hr", "img", "use", "path"}:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._open and self._open[-1]):
            self.texts.append(data)


def french_words(page: str) -> list[str]:
    found = []
    for text in Said(page).texts:
        # Addresses (of pages, of people) keep the names that the portal gave them.
        shown = " ".join(word for word in text.split() if not re.search(r"[/@]", word))
        found += [text.strip()] if FRENCH & set(re.findall(r"[\w’]+", shown)) else []
    return found


@dataclass(frozen=True)
class World:
    """Names and titles of no language, so that what is French on a page is ours."""

    agent: Agent
    organised: Meeting
    received: Meeting
    guest_link: str


@pytest.fixture
def world() -> World:
    now = timezone.now()
    home = factories.organisation("DINUM")
    agent = factories.agent("Claire", "Morel", organisation=home)
    team = factories.team("Alpha", organisation=home, managers=[agent], members=[agent])
    others = [factories.agent(name, "Benali", organisation=home, team=team) for name in ("Karim", "Sophie", "Paul")]
    organised = factories.meeting(
        agent, guests=[*others, "anne@example.org"], starts_at=now + dt.timedelta(minutes=20), title="Budget"
    )
    factories.meeting(others[1], guests=[agent], starts_at=now + dt.timedelta(minutes=30), title="Sprint")
    received = factories.meeting(others[0], guests=[agent], starts_at=now + dt.timedelta(days=2), title="Bilan")
    answered = factories.meeting(others[2], guests=[agent], starts_at=now + dt.timedelta(days=3), title="Demo")
    answer(attendee=Attendee.objects.get(meeting=answered, agent=agent), answer="tentative", via="portal", now=now)
    issue_token(agent=agent, name="Script", days=30, now=now)
    guest = organised.attendees.get(agent=None)
    return World(agent, organised, received, "/" + rsvp_url(guest).split("/", 3)[3])


Where = Callable[[World], str]
AGENTS_PAGES: dict[str, Where] = {
    "dashboard": lambda world: reverse("portal:dashboard"),
    "plan": lambda world: reverse("meetings:plan"),
    "edit": lambda world: reverse("meetings:edit", args=[world.organised.public_id]),
    "cancel": lambda world: reverse("meetings:cancel", args=[world.organised.public_id]),
    "list": lambda world: reverse("meetings:list"),
    "to answer": lambda world: reverse("meetings:list") + "?onglet=a-traiter",
    "organised": lambda world: reverse("meetings:detail", args=[world.organised.public_id]),
    "received": lambda world: reverse("meetings:detail", args=[world.received.public_id]),
    "team": lambda world: reverse("calendars:team"),
    "settings": lambda world: reverse("portal:settings"),
    "search": lambda world: reverse("portal:search") + "?q=budget",
    "search in vain": lambda world: reverse("portal:search") + "?q=zzzz",
    "call": lambda world: f"/visio/{world.organised.room.slug if world.organised.room else ''}/",
    "not found": lambda world: "/nowhere/",
}
GUESTS_PAGES: dict[str, Where] = {
    "sign-in": lambda world: reverse("portal:sign_in"),
    "refused": lambda world: reverse("portal:refused") + "?motif=organisation",
    "rsvp": lambda world: world.guest_link,
    "unknown invitation": lambda world: "/invitation/unknown/",
    "call": lambda world: f"{world.guest_link}rejoindre/",
    "accessibility": lambda world: reverse("portal:accessibility"),
    "personal data": lambda world: reverse("portal:personal_data"),
    "legal": lambda world: reverse("portal:legal"),
    "cookies": lambda world: reverse("portal:cookies"),
}


def pages(language: str, world: World) -> Iterator[tuple[str, str]]:
    """(name, HTML) of every page above: agents by their setting, guests by what their browser asks for."""
    world.agent.language = language
    world.agent.save(update_fields=["language"])
    agent, guest = client_of(world.agent), Client(headers={"Accept-Language": language})
    for client, where in ((agent, AGENTS_PAGES), (guest, GUESTS_PAGES)):
        for name, address in where.items():
            response = client.get(address(world))
            assert response.status_code in {200, 403, 404}, name
            yield name, response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", OTHERS)
def test_pages_speak_the_readers_language(language: str, world: World) -> None:
    spoken = {name: (f'lang="{language}"' in page, french_words(page)) for name, page in pages(language, world)}
    assert {name: found for name, found in spoken.items() if found != (True, [])} == {}


@pytest.mark.django_db
def test_the_reader_of_pages_sees_french(world: World) -> None:
    assert [name for name, page in pages("fr", world) if len(french_words(page)) < 3] == []


@pytest.mark.django_db
@pytest.mark.parametrize("language", OTHERS)
def test_invitations_speak_the_readers_language(language: str, world: World) -> None:
    row = Delivery.objects.filter(meeting=world.organised, attendee__agent=None).get()
    row.language = language
    mail = Press(now=timezone.now()).letter(row, now=timezone.now())
    said = f"{mail.subject}\n{mail.text}"
    lines = [line for line in said.splitlines() if "localhost" not in line]
    assert [line for line in lines if FRENCH & set(re.findall(r"[\w’]+", line))] == []
    assert french_words(mail.html) == []
    assert " :" not in said
