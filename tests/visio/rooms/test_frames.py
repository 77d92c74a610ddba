"""What a browser may say: every frame, and that nothing else gets through or raises anything but Malformed."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from visio.rooms.frames import (
    LARGEST_FRAME,
    LONGEST_NAME,
    Allowance,
    Hello,
    Join,
    Leave,
    Malformed,
    MediaState,
    Ping,
    Signal,
    clean_name,
    read_frame,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
TYPES = st.sampled_from(["hello", "join", "state", "signal", "leave", "ping", "say", ""])
FIELDS = st.sampled_from(["ticket", "name", "mic", "camera", "seat", "to", "data"])


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "hello"}, Hello("")),
        ({"type": "hello", "ticket": "abc"}, Hello("abc")),
        (
            {"type": "join", "name": " Samir\tHaddad ", "mic": True, "camera": False, "seat": "s"},
            Join("Samir Haddad", True, False, "s"),
        ),
        ({"type": "state", "mic": False, "camera": True}, MediaState(False, True)),
        ({"type": "leave", "more": "is ignored"}, Leave()),
        ({"type": "ping"}, Ping()),
        (
            {
                "type": "signal",
                "to": "p",
                "data": {"description": {"type": "offer", "sdp": "v=0", "evil": 1}, "attempt": 2},
            },
            Signal("p", {"description": {"type": "offer", "sdp": "v=0"}, "attempt": 2}),
        ),
        ({"type": "signal", "to": "p", "data": {"candidate": None}}, Signal("p", {"candidate": None, "attempt": 0})),
        ({"type": "signal", "to": "p", "data": {"again": True}}, Signal("p", {"again": True, "attempt": 0})),
        (
            {"type": "signal", "to": "p", "data": {"candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0}}},
            Signal(
                "p",
                {
                    "candidate": {"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": None},
                    "attempt": 0,
                },
            ),
        ),
    ],
)
def test_frames_that_mean_something(said: dict, meant: object) -> None:
    assert read_frame(json.dumps(said)) == meant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("[" * 30_000, "not_json"),
        ("1" * 5_000, "not_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("{}", "unknown_type"),
        ('{"type": ["hello"]}', "unknown_type"),
        ('{"type": "hello", "ticket": 3}', "bad_ticket"),
        ('{"type": "join", "mic": "yes"}', "bad_mic"),
        ('{"type": "join", "name": null}', "bad_name"),
        (json.dumps({"type": "join", "name": "x" * 1001}), "bad_name"),
        ('{"type": "state", "camera": 1}', "bad_camera"),
        ('{"type": "signal", "to": "p"}', "bad_data"),
        ('{"type": "signal", "to": "p", "data": {}}', "bad_data"),
        ('{"type": "signal", "to": "p", "data": {"description": {"type": "pranswer", "sdp": ""}}}', "bad_data"),
        ('{"type": "signal", "to": "p", "data": {"candidate": {"candidate": "c", "sdpMid": 1}}}', "bad_data"),
        ('{"type": "signal", "to": "p", "data": {"candidate": {"candidate": "c", "sdpMLineIndex": -1}}}', "bad_data"),
        ('{"type": "signal", "to": "p", "data": {"again": true, "attempt": -1}}', "bad_data"),
        (json.dumps({"type": "signal", "to": "p" * 33, "data": {"again": True}}), "bad_to"),
        (json.dumps({"type": "ping", "x": "a" * LARGEST_FRAME}), "too_large"),
        (json.dumps({"type": "ping", "x": "é" * (LARGEST_FRAME // 2)}, ensure_ascii=False), "too_large"),
    ],
)
def test_frames_that_do_not(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_frame(text)
    assert refused.value.code == code


@given(st.dictionaries(FIELDS, JSON), TYPES)
def test_no_fields_raise_anything_else(fields: dict, kind: str) -> None:
    with suppress(Malformed):
        read_frame(json.dumps({**fields, "type": kind}))


@given(st.text())
@example("\ud800")
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(Malformed):
        read_frame(text)


@given(st.text(max_size=1000))
@example("\u202egnp.exe\r\nSubject: x\x85\u2028\ud800")
@example("é" * 200)
def test_names_are_one_short_visible_line(name: str) -> None:
    clean = clean_name(name)
    assert len(clean) <= LONGEST_NAME
    assert clean == " ".join(clean.split())
    assert not set(clean) & set("\r\n\x85\u2028\u2029\u202e\ud800\x00")
    assert clean == clean_name(clean)
    clean.encode()


def test_names_keep_accents_and_scripts() -> None:
    assert clean_name("  Zoé  O’Neill-Łukasz 王 ") == "Zoé O’Neill-Łukasz 王"


@given(st.lists(st.floats(0, 5), max_size=200))
def test_allowance_never_gives_more_than_burst_and_rate(waits: list[float]) -> None:
    bucket = Allowance(burst=5, rate=2.0, now=0.0)
    now, taken = 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
    assert taken <= 5 + 2.0 * now + 1e-6


def test_allowance_fills_again_and_survives_a_clock_that_goes_back() -> None:
    bucket = Allowance(burst=1, rate=1.0, now=10.0)
    assert bucket.take(10.0)
    assert not bucket.take(10.0)
    assert not bucket.take(5.0)
    assert bucket.take(6.0)
