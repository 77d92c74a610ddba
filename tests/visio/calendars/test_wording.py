"""The team's week in words."""

import datetime as dt

import pytest
from django.utils import translation

from visio.calendars.wording import chips, dates


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (dt.date(2026, 11, 23), dt.date(2026, 11, 27), "23 – 27 novembre 2026"),
        (dt.date(2026, 11, 30), dt.date(2026, 12, 4), "30 novembre – 4 décembre 2026"),
        (dt.date(2026, 12, 28), dt.date(2027, 1, 1), "28 décembre 2026 – 1er janvier 2027"),
    ],
)
def test_dates(first: dt.date, last: dt.date, words: str) -> None:
    with translation.override("fr"):
        assert dates(first, last) == words


def test_chips_count_every_state_in_a_fixed_order() -> None:
    with translation.override("fr"):
        found = chips({"offline": 3, "available": 1})

    assert [(chip.state, chip.count) for chip in found] == [
        ("available", 1),
        ("away", 0),
        ("in_meeting", 0),
        ("do_not_disturb", 0),
        ("offline", 3),
    ]
    assert (found[0].words, found[0].one, found[0].many) == ("disponible", "disponible", "disponibles")


def test_a_chip_for_presence_that_nobody_knows() -> None:
    """Redis is down: everybody's state is unknown, and none is shown as present."""
    with translation.override("fr"):
        found = chips({"unknown": 12})

    assert [(chip.state, chip.count) for chip in found][-1] == ("unknown", 12)
    assert sum(chip.count for chip in found[:-1]) == 0
