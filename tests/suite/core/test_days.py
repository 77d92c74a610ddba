"""The first of a month is « 1er » in French, and in no other language."""

import datetime as dt

import pytest
from django.template import engines
from django.utils import timezone, translation

from suite.core.days import day_words

FIRST, SECOND = dt.date(2026, 12, 1), dt.date(2026, 12, 2)


@pytest.mark.parametrize(
    ("language", "pattern", "said"),
    [
        ("fr", "l j F Y", "mardi 1er décembre 2026"),
        ("fr", "l j F", "mardi 1er décembre"),
        ("fr", "D. j N", "mar. 1er déc."),
        ("fr", "j", "1er"),
        ("fr", "DATE_FORMAT", "1er décembre 2026"),
        ("fr", "F Y", "décembre 2026"),
        ("fr", r"\j\o\u\r j", "jour 1er"),
        ("fr", "SHORT_DATE_FORMAT", "01/12/2026"),
        ("en", "l j F Y", "Tuesday 1 December 2026"),
        ("de", "l, j. F Y", "Dienstag, 1. Dezember 2026"),
    ],
)
def test_the_first_of_a_month(language: str, pattern: str, said: str) -> None:
    with translation.override(language):
        assert day_words(FIRST, pattern) == said


@pytest.mark.parametrize("day", range(2, 32))
def test_every_other_day_is_a_number(day: int) -> None:
    with translation.override("fr"):
        assert day_words(dt.date(2026, 12, day), "j F") == f"{day} décembre"


def test_in_a_template_it_is_the_day_of_its_zone() -> None:
    evening = dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)
    page = engines["django"].from_string("{{ at|day_words:'l j F' }}")
    with translation.override("fr"), timezone.override("Europe/Paris"):
        assert page.render({"at": evening}) == "mardi 1er décembre"
