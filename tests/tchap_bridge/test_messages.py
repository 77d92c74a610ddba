"""Texts: pure, so held against anything that people may type."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchap_bridge import messages
from tchap_bridge.desired import wanted_room
from tchap_bridge.facts import MeetingFacts
from tchap_bridge.messages import When
from tchap_bridge.news import news

PARIS = When(
    dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC), "Europe/Paris"
)
FACTS = MeetingFacts(
    meeting_id=1,
    public_id="00000000-0000-4000-8000-000000000000",
    title="Comité de suivi",
    place="Salle B",
    when=PARIS,
    revision=1,
    language="fr",
    is_cancelled=False,
    wants_tchap=True,
    join_url="https://portail.example/visio/abc-defg-hij/",
    page_url="https://portail.example/reunions/x/",
    organiser_id=1,
    agent_ids=(1, 2),
    read_at=dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC),
)
anything = st.text(max_size=200)
awkward = st.sampled_from(
    ["\r\n", "\x85", "\u2028", "<b>", "&amp;", "@room", "\x00", "\x1b[31m", "</strong>", '"', "\u202e"]
)
typed = st.lists(st.one_of(anything, awkward), max_size=6).map("".join)


class Tags(HTMLParser):
    """The tags of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_whole_card() -> None:
    card = wanted_room(FACTS).card
    assert card.body == (
        "Comité de suivi\n"
        "Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)\n"
        "Lieu : Salle B\n"
        "Rejoindre la visio : https://portail.example/visio/abc-defg-hij/\n"
        "Page de la réunion : https://portail.example/reunions/x/"
    )
    assert card.html == (
        "<strong>Comité de suivi</strong><br>"
        "Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)<br>"
        "Lieu : Salle B<br>"
        '<a href="https://portail.example/visio/abc-defg-hij/">Rejoindre la visio</a><br>'
        '<a href="https://portail.example/reunions/x/">Page de la réunion</a>'
    )


def test_the_topic_leads_into_the_call_or_to_the_page() -> None:
    when = "Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)"
    assert wanted_room(FACTS).topic == f"{when} · Rejoindre la visio : {FACTS.join_url}"
    assert wanted_room(replace(FACTS, join_url="")).topic == f"{when} · Page de la réunion : {FACTS.page_url}"


def test_hours_are_those_of_the_meetings_zone() -> None:
    reunion = replace(PARIS, time_zone="Indian/Reunion")
    assert messages.when_words(reunion) == "Mardi 24 novembre 2026, 13:00 – 14:00 (La Réunion)"


@given(title=typed, place=typed)
def test_nothing_typed_adds_a_tag_or_a_line(title: str, place: str) -> None:
    usual = wanted_room(FACTS)
    room = wanted_room(replace(FACTS, title=title, place=f"x{place}"))
    assert Tags(room.card.html).tags == Tags(usual.card.html).tags
    assert room.card.body.count("\n") == usual.card.body.count("\n")
    for line in (room.name, room.topic, *room.card.body.split("\n")):
        assert line.isprintable()
    assert messages.one_line(title) in Tags(room.card.html).text


@given(typed, typed)
def test_every_message_keeps_its_lines(title: str, place: str) -> None:
    for text in (messages.renamed(title, language="fr"), messages.placed(place, language="fr")):
        assert "\n" not in text.body
        assert Tags(text.html).tags == []
        assert Tags(text.html).text == text.body


def test_no_news_for_a_room_that_was_told_or_never_told() -> None:
    told = wanted_room(FACTS).told
    assert news(FACTS, told) == []
    assert news(FACTS, {}) == []


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        ({"title": "Autre"}, ["renamed:2"], "La réunion s’appelle maintenant « Autre »."),
        ({"place": "Salle C"}, ["placed:2"], "Nouveau lieu : Salle C"),
        ({"place": ""}, ["placed:2"], "La réunion n’a plus de lieu."),
        (
            {"wants_tchap": False},
            ["detached:2"],
            "Ce salon n’est plus celui de la réunion. Il est fermé ; il reste lisible.",
        ),
        (
            {"when": replace(PARIS, time_zone="Indian/Reunion")},
            ["moved:2"],
            "La réunion est déplacée.\n"
            "Avant : Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)\n"
            "Maintenant : Mardi 24 novembre 2026, 13:00 – 14:00 (La Réunion)",
        ),
        (
            {"is_cancelled": True, "title": "Peu importe"},
            ["cancelled"],
            "La réunion est annulée.\n"
            "Elle devait avoir lieu : Mardi 24 novembre 2026, 10:00 – 11:00 (Paris)\n"
            "Ce salon est fermé ; il reste lisible.",
        ),
    ],
)
def test_each_difference_is_told_in_its_words(change: dict[str, Any], about: list[str], words: str) -> None:
    told = wanted_room(FACTS).told
    found = news(replace(FACTS, revision=2, **change), told)
    assert [one for one, _text in found] == about
    assert found[0][1].body == words


def test_a_room_taken_back_is_told_so_and_what_changed_meanwhile() -> None:
    told = wanted_room(replace(FACTS, wants_tchap=False)).told
    found = news(replace(FACTS, title="Autre", revision=5), told)
    assert [about for about, _text in found] == ["reopened:5", "renamed:5"]


def test_a_cancelled_room_is_told_once() -> None:
    told = wanted_room(replace(FACTS, is_cancelled=True)).told
    assert news(replace(FACTS, is_cancelled=True, title="Autre"), told) == []
    assert news(replace(FACTS, wants_tchap=False), wanted_room(replace(FACTS, wants_tchap=False, title="x")).told) == []


titles = st.sampled_from(["A", "B"])
flags = st.booleans()


@given(st.lists(st.tuples(titles, flags, flags), min_size=1, max_size=8))
def test_whatever_happened_in_between_telling_converges(history: list[tuple[str, bool, bool]]) -> None:
    """After telling, nothing is left to tell: the room cannot be told the same thing for ever."""
    told = wanted_room(FACTS).told
    for revision, (title, cancelled, wants) in enumerate(history, start=2):
        facts = replace(FACTS, title=title, is_cancelled=cancelled, wants_tchap=wants, revision=revision)
        abouts = [about for about, _text in news(facts, told)]
        assert len(abouts) == len(set(abouts))
        told = wanted_room(facts).told
        assert news(facts, told) == []
