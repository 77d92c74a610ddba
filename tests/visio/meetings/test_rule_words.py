"""Rules as people say them, in French as the catalogue's own sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tests.visio.meetings.recurrence_oracle import rules
from visio.meetings.recurrence import Rule, parse_rule
from visio.meetings.rule_words import day_name, describe, last_day

TUESDAY = dt.datetime(2026, 11, 24, 10)  # noqa: DTZ001  a wall clock


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    with translation.override("fr"):
        yield


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "Tous les jours"),
        ("FREQ=DAILY;INTERVAL=3", "Tous les 3 jours"),
        ("FREQ=DAILY;COUNT=1", "Tous les jours, 1 fois"),
        ("FREQ=DAILY;BYMONTH=7,8", "Tous les jours, seulement en juillet et en août"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "Toutes les semaines, du lundi au vendredi"),
        ("FREQ=WEEKLY", "Toutes les semaines, le mardi"),
        ("FREQ=WEEKLY;BYDAY=TU;INTERVAL=2;COUNT=10", "Toutes les 2 semaines, le mardi, 10 fois"),
        (
            "FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20261218T225959Z",
            "Toutes les semaines, le mardi et le jeudi, jusqu’au 18 décembre 2026",
        ),
        ("FREQ=WEEKLY;BYDAY=MO,TU,FR", "Toutes les semaines, le lundi, le mardi et le vendredi"),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "Toutes les semaines, le samedi et le dimanche"),
        ("FREQ=WEEKLY;BYDAY=TU,WE,TH", "Toutes les semaines, du mardi au jeudi"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "Tous les jours"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU", "Toutes les 2 semaines, du lundi au dimanche"),
        ("FREQ=MONTHLY", "Tous les mois, le 24"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1,15", "Tous les 3 mois, le 1er et le 15"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,31", "Tous les mois, le 15 et le 31 (s’il existe)"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "Tous les mois, le dernier jour du mois"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", "Tous les mois, le 1er et le dernier jour du mois"),
        ("FREQ=MONTHLY;BYDAY=2TU", "Tous les mois, le deuxième mardi"),
        ("FREQ=MONTHLY;BYDAY=-1FR,1MO", "Tous les mois, le premier lundi et le dernier vendredi"),
        ("FREQ=MONTHLY;BYDAY=5TU", "Tous les mois, le cinquième mardi (s’il existe)"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-2", "Tous les mois, l’avant-dernier mardi"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "Tous les 2 mois, chaque mardi"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Tous les mois, le dernier jour ouvré"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "Tous les mois, le premier jour ouvré"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1", "Tous les mois, le dernier jour"),
        ("FREQ=MONTHLY;BYMONTH=3,6;BYMONTHDAY=2", "Tous les mois, le 2, seulement en mars et en juin"),
        ("FREQ=YEARLY", "Tous les ans, le 24 novembre"),
        ("FREQ=YEARLY;BYMONTHDAY=20", "Tous les ans, le 20 novembre"),
        ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1", "Tous les ans, le 1er mars et le 1er septembre"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "Tous les ans, le 29 février (les années bissextiles)"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=4;BYDAY=2TU", "Tous les 2 ans, en avril, le deuxième mardi"),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=TU,MO,WE,TH,FR;BYSETPOS=-1;UNTIL=20300101",
            "Tous les ans, en novembre, le dernier jour ouvré, jusqu’au 1er janvier 2030",
        ),
    ],
)
def test_as_people_say_it(rule: str, words: str) -> None:
    assert describe(parse_rule(rule), TUESDAY, zone="Europe/Paris") == words


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTHDAY=1",
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=MONTHLY;BYMONTHDAY=-5",
        "FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=1,2;BYDAY=TU;BYSETPOS=1",
        "FREQ=YEARLY;BYMONTH=1,2,3,4;BYMONTHDAY=1,2",
    ],
)
def test_what_no_plain_sentence_says_is_shown_as_it_is(rule: str) -> None:
    parsed = parse_rule(rule + ";COUNT=3")
    words = describe(parsed, TUESDAY, zone="Europe/Paris")
    assert words == f"Selon une règle particulière ({parse_rule(rule)}), 3 fois"


def test_the_last_day_is_a_local_one() -> None:
    until = parse_rule("FREQ=DAILY;UNTIL=20261218T000000Z")
    # One in the morning of the 18th in Paris, 20:00 of the 17th in Cayenne; the meeting is at ten.
    assert last_day(until, TUESDAY, "Europe/Paris") == dt.date(2026, 12, 17)
    assert last_day(until, TUESDAY, "America/Cayenne") == dt.date(2026, 12, 17)
    assert last_day(until, TUESDAY, "Pacific/Noumea") == dt.date(2026, 12, 18)
    assert last_day(parse_rule("FREQ=DAILY;UNTIL=20261218"), TUESDAY, "Europe/Paris") == dt.date(2026, 12, 18)
    assert last_day(parse_rule("FREQ=DAILY"), TUESDAY, "Europe/Paris") is None


@given(rules(), st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)))
def test_every_rule_has_words(rule: Rule, start: dt.date) -> None:
    words = describe(rule, dt.datetime.combine(start, dt.time(10)), zone="Europe/Paris")
    assert words[0].isupper()
    assert "%" not in words
    assert "None" not in words
    assert ", ," not in words


@pytest.mark.parametrize(("language", "name"), [("fr", "mardi"), ("en", "Tuesday"), ("de", "Dienstag")])
def test_days_are_in_the_readers_language(language: str, name: str) -> None:
    with translation.override(language):
        assert day_name(1) == name
        assert name in describe(parse_rule("FREQ=MONTHLY;BYDAY=2TU"), TUESDAY, zone="Europe/Paris")
