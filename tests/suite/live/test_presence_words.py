"""Presence in words: the viewer's language, the viewer's hour."""

import datetime as dt
import zoneinfo

import pytest
from django.utils import timezone, translation

from suite.live.countdown import duration_words, minutes_until
from suite.live.presence_rules import Presence, State

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)  # 10:00 in Paris
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("presence", "words"),
    [
        (Presence("available", NOW), "Disponible"),
        (Presence("in_meeting", NOW), "En réunion"),
        (Presence("in_meeting", NOW, until=NOW + HOUR), "En réunion jusqu’à 11\u00a0h"),
        (Presence("in_meeting", NOW, until=NOW + 90 * MINUTE), "En réunion jusqu’à 11\u00a0h\u00a030"),
        (Presence("in_meeting", NOW, until=NOW + 24 * HOUR), "En réunion jusqu’au 24 novembre"),
        (Presence("do_not_disturb", NOW), "Ne pas déranger"),
        (Presence("do_not_disturb", NOW, until=NOW + 2 * HOUR), "Ne pas déranger, jusqu’à 12\u00a0h"),
        (Presence("do_not_disturb", NOW, until=NOW + 24 * HOUR), "Ne pas déranger, jusqu’au 24 novembre"),
        (Presence("away", NOW), "Absent"),
        (Presence("away", NOW, since=NOW - 20 * MINUTE), "Absent depuis 20\u00a0min"),
        (Presence("away", NOW, since=NOW - 30 * HOUR), "Absent depuis 30\u00a0h"),
        (Presence("away", NOW, since=NOW - dt.timedelta(seconds=10)), "Absent"),
        (Presence("away", NOW, until=NOW + 4 * HOUR), "Absent jusqu’à 14\u00a0h"),
        (Presence("away", NOW, until=NOW + 24 * HOUR), "Absent jusqu’au 24 novembre"),
        (Presence("away", NOW, until=NOW + 39 * HOUR, last_day=dt.date(2026, 11, 24)), "Absent jusqu’au 24 novembre"),
        (Presence("away", NOW, until=NOW + 200 * HOUR, last_day=dt.date(2026, 12, 1)), "Absent jusqu’au 1er décembre"),
        (Presence("away", NOW, until=NOW + 14 * HOUR, last_day=dt.date(2026, 11, 23)), "Absent aujourd’hui"),
        (Presence("offline", NOW), "Hors ligne"),
        (Presence("offline", NOW, until=NOW + 4 * HOUR), "Hors ligne, reprend à 14\u00a0h"),
        (Presence("offline", NOW, until=NOW + 24 * HOUR), "Hors ligne, reprend le 24 novembre"),
        (Presence("unknown", NOW), "Présence en pause"),
    ],
)
def test_words_in_french(presence: Presence, words: str) -> None:
    with translation.override("fr"), timezone.override(zoneinfo.ZoneInfo("Europe/Paris")):
        assert presence.words == words


def test_words_follow_the_viewers_zone() -> None:
    presence = Presence("in_meeting", NOW, until=NOW + HOUR)
    with translation.override("fr"), timezone.override(zoneinfo.ZoneInfo("Indian/Reunion")):
        assert presence.words == "En réunion jusqu’à 14\u00a0h"


def test_the_reachable_come_first() -> None:
    states: list[State] = ["offline", "away", "available", "in_meeting", "do_not_disturb"]
    ranked = sorted((Presence(state, NOW) for state in states), key=lambda presence: presence.rank)
    assert [presence.state for presence in ranked] == ["available", "in_meeting", "do_not_disturb", "away", "offline"]
    assert [presence.state for presence in ranked if presence.reachable] == ["available"]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0\u00a0min"),
        (1, "1\u00a0min"),
        (59, "59\u00a0min"),
        (60, "1\u00a0h"),
        (125, "2\u00a0h\u00a005"),
        (1439, "23\u00a0h\u00a059"),
        (1440, "1 jour"),
        (4321, "3 jours"),
    ],
)
def test_durations(minutes: int, words: str) -> None:
    with translation.override("fr"):
        assert duration_words(minutes) == words


def test_minutes_are_rounded_up_before_and_down_after() -> None:
    assert minutes_until(NOW + dt.timedelta(seconds=61), NOW) == 2
    assert minutes_until(NOW + dt.timedelta(seconds=60), NOW) == 1
    assert minutes_until(NOW, NOW) == 0
    assert minutes_until(NOW - dt.timedelta(seconds=119), NOW) == 1
