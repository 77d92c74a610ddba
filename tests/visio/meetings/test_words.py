"""Days, hours and ages in words; zones as people name them."""

import datetime as dt
import zoneinfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from visio.meetings import words, zones

PARIS = "Europe/Paris"
NOON = dt.datetime(2026, 11, 24, 11, 0, tzinfo=dt.UTC)  # 12:00 in Paris
TODAY = dt.date(2026, 11, 24)


def test_hours_of_one_day_and_over_midnight() -> None:
    assert words.hours(NOON, NOON + dt.timedelta(hours=1), PARIS) == "12:00 – 13:00"
    assert words.hours(NOON, NOON + dt.timedelta(hours=13), PARIS) == "12:00 – mer. 25 nov., 01:00"


def test_days_name_the_year_only_when_it_is_another() -> None:
    assert words.long_day(TODAY, today=TODAY) == "Mardi 24 novembre"
    assert words.long_day(dt.date(2027, 1, 5), today=TODAY) == "Mardi 5 janvier 2027"
    assert words.day_heading(TODAY, today=TODAY) == "Aujourd’hui, mardi 24 novembre"
    assert words.day_heading(dt.date(2026, 11, 25), today=TODAY) == "Demain, mercredi 25 novembre"
    assert words.day_heading(dt.date(2026, 11, 23), today=TODAY) == "Hier, lundi 23 novembre"
    assert words.day_heading(dt.date(2026, 11, 27), today=TODAY) == "Vendredi 27 novembre"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (dt.timedelta(seconds=20), "à l’instant"),
        (dt.timedelta(minutes=1), "il y a 1 min"),
        (dt.timedelta(minutes=59), "il y a 59 min"),
        (dt.timedelta(hours=2), "à 10:00"),
        (dt.timedelta(hours=20), "hier à 16:00"),
        (dt.timedelta(days=4), "20 nov. à 12:00"),
        (dt.timedelta(days=400), "20 oct. 2025 à 13:00"),
        (dt.timedelta(minutes=-5), "à 12:05"),
    ],
)
def test_moments(ago: dt.timedelta, said: str) -> None:
    assert words.moment(NOON - ago, now=NOON, zone_name=PARIS) == said


@pytest.mark.parametrize(
    ("minutes", "said"), [(15, "15 min"), (60, "1 h"), (90, "1 h 30"), (65, "1 h 05"), (26 * 60, "1 j 2 h")]
)
def test_durations(minutes: int, said: str) -> None:
    assert words.duration(minutes) == said


@given(st.integers(min_value=1, max_value=14 * 24 * 60))
def test_every_duration_has_words(minutes: int) -> None:
    assert words.duration(minutes)


def test_zones_are_named_by_their_place() -> None:
    assert zones.zone_place("Indian/Reunion") == "La Réunion"
    assert zones.zone_where("America/Cayenne") == "en Guyane"
    assert zones.zone_where("Asia/Tokyo") == "à Tokyo"
    with translation.override("de"):
        assert zones.zone_place("Asia/Tokyo") == "Tokio"
    assert zones.zone_place("UTC") == "UTC"


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Indian/Reunion", "UTC+4"), ("America/Cayenne", "UTC−3"), ("Pacific/Marquesas", "UTC−9:30"), ("UTC", "UTC")],
)
def test_offsets(zone: str, said: str) -> None:
    assert zones.offset_words(zone, NOON) == said


def test_the_zone_list_begins_with_the_french_territories_and_selects_one_option() -> None:
    options = zones.zone_options(chosen="Indian/Reunion", at=NOON)
    assert options.index("Europe/Paris") < options.index("Indian/Reunion") < options.index("Africa/Abidjan")
    assert options.count(" selected") == 1
    assert '<option value="Indian/Reunion" selected>La Réunion (UTC+4)</option>' in options


def test_a_zone_that_the_list_lacks_is_kept_and_escaped() -> None:
    options = zones.zone_options(chosen='"><b>', at=NOON)
    assert options.startswith('<option value="&quot;&gt;&lt;b&gt;" selected>')


def test_every_offered_zone_exists() -> None:
    import re

    offered = re.findall(r'value="([^"]+)"', zones.zone_options(chosen=PARIS, at=NOON))
    assert len(offered) > 400
    assert set(offered) <= zoneinfo.available_timezones()
