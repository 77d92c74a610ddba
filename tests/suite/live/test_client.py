"""What a socket still has to be told stays small and ends right, however slow the client is."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from suite.live.client import ACK_EVERY, MOST_ANSWERS, MOST_TOPICS, MOST_UNCONFIRMED, Allowance, Outbox


def taken(outbox: Outbox) -> list[dict[str, Any]]:
    frames = []
    while (frame := outbox.take()) is not None:
        frames.append(json.loads(frame))
    return frames


def test_a_topic_that_changed_ten_times_is_told_once_with_its_last_version() -> None:
    outbox = Outbox()
    for number in range(10):
        outbox.hint("meetings", f"v{number}")
    assert taken(outbox) == [{"type": "news", "topics": ["meetings"], "version": "v9"}]


def test_too_many_topics_become_one_resync() -> None:
    outbox = Outbox()
    for number in range(MOST_TOPICS + 1):
        outbox.hint(f"meeting:{number}", f"v{number}")
    assert taken(outbox) == [{"type": "news", "version": f"v{MOST_TOPICS}", "resync": True}]


def test_presence_is_told_as_it_is_now() -> None:
    outbox = Outbox()
    outbox.presence("a", {"state": "away"})
    outbox.presence("a", {"state": "available"})
    outbox.presence("b", None)
    assert taken(outbox) == [{"type": "news", "presence": {"a": {"state": "available"}, "b": None}}]


def test_a_pause_forgets_states_and_a_resync_ends_it() -> None:
    outbox = Outbox()
    outbox.presence("a", {"state": "available"})
    outbox.pause()
    assert taken(outbox) == [{"type": "news", "paused": True}]
    outbox.resync("v2", within=3.5)
    assert taken(outbox) == [{"type": "news", "version": "v2", "resync": True, "within": 3.5, "paused": False}]


def test_a_beat_is_answered_by_the_version() -> None:
    outbox = Outbox()
    outbox.beat("v1")
    assert taken(outbox) == [{"type": "news", "version": "v1", "beat": True}]


def test_a_beat_read_before_a_hint_does_not_take_its_version_back() -> None:
    outbox = Outbox()
    outbox.hint("meetings", "v2")
    outbox.beat("v1")
    assert taken(outbox) == [{"type": "news", "version": "v2", "topics": ["meetings"], "beat": True}]


def test_whoever_does_not_confirm_is_told_nothing_more_until_then() -> None:
    outbox = Outbox()
    sent = []
    for number in range(500):
        outbox.hint(f"meeting:{number}", f"v{number}")
        sent += taken(outbox)
    assert len(sent) == MOST_UNCONFIRMED
    asked = [frame["ack"] for frame in sent if "ack" in frame]
    assert asked == [ACK_EVERY, 2 * ACK_EVERY]
    outbox.confirm(asked[-1])
    assert outbox.wake.is_set()
    assert taken(outbox) == [{"type": "news", "version": "v499", "resync": True}]


def test_confirming_what_was_not_sent_changes_nothing() -> None:
    outbox = Outbox()
    for number in range(500):
        outbox.hint("meetings", f"v{number}")
        taken(outbox)
    outbox.confirm(10_000)
    outbox.hint("meetings", "last")
    assert taken(outbox) == []


def test_errors_that_nobody_reads_end_the_conversation() -> None:
    outbox = Outbox()
    for _number in range(MOST_ANSWERS + 1):
        outbox.answer({"type": "error", "reason": "unknown-type"})
    assert outbox.close_code == 4429


@given(st.lists(st.tuples(st.sampled_from(["hint", "beat", "resync", "take"]), st.integers(0, 60)), max_size=200))
def test_no_topic_is_ever_lost(steps: list[tuple[str, int]]) -> None:
    """Whatever the order, every topic hinted at is told later, by name or by a resync, and the last version wins."""
    outbox = Outbox()
    owed: set[str] = set()
    version = ""
    for at, (step, number) in enumerate(steps):
        if step == "hint":
            version = f"v{at}"
            outbox.hint(f"meeting:{number}", version)
            owed.add(f"meeting:{number}")
        elif step == "beat":
            outbox.beat(version)
        elif step == "resync":
            version = f"v{at}"
            outbox.resync(version)
        else:
            for frame in taken(outbox):
                owed = set() if frame.get("resync") else owed - set(frame.get("topics", ()))
                if "ack" in frame:
                    outbox.confirm(frame["ack"])
            assert owed == set()
    frames = taken(outbox)
    told = {topic for frame in frames for topic in frame.get("topics", ())}
    assert owed <= told or any(frame.get("resync") for frame in frames)
    if owed:
        assert frames[-1]["version"] == version


def test_an_allowance_is_spent_and_fills_up_again() -> None:
    allowance = Allowance(burst=3, rate=1000.0)
    assert [allowance.spend() for _number in range(3)] == [True, True, True]
    empty = Allowance(burst=2, rate=0.0)
    assert [empty.spend() for _number in range(3)] == [True, True, False]
