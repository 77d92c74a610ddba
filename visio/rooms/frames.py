"""What a browser may say on a call's socket, read strictly: pure, no socket, no database.

Every frame is a JSON object with a `type`. Anything else raises Malformed, which names the fault in one word for the client.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

# A session description of six people with every codec is about 8 KB; PROMISES refuses more than this.
LARGEST_FRAME = 64 * 1024
LONGEST_NAME = 80


class Malformed(Exception):
    """A frame that says nothing. `code` goes back to the browser."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Hello:
    """The first frame: a guest's ticket, or "" for the session's agent."""

    ticket: str


@dataclass(frozen=True)
class Join:
    name: str
    mic: bool
    camera: bool
    # Proof of the seat held before the socket was lost; "" for a newcomer.
    seat: str


@dataclass(frozen=True)
class MediaState:
    mic: bool
    camera: bool


@dataclass(frozen=True)
class Signal:
    """One step of the WebRTC negotiation with `to`, one other participant of the same call."""

    to: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Leave:
    pass


@dataclass(frozen=True)
class Ping:
    pass


Frame = Hello | Join | MediaState | Signal | Leave | Ping


def read_frame(text: str) -> Frame:
    """The frame that `text` is. Raises Malformed."""
    if len(text) > LARGEST_FRAME or len(text.encode("utf-8", "surrogatepass")) > LARGEST_FRAME:
        raise Malformed("too_large")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        # RecursionError: thousands of nested brackets fit in 64 KiB.
        raise Malformed("not_json") from None
    if not isinstance(fields, dict):
        raise Malformed("not_an_object")
    match fields.get("type"):
        case "hello":
            return Hello(_text(fields, "ticket", 2000))
        case "join":
            name = clean_name(_text(fields, "name", 1000))
            return Join(name, _flag(fields, "mic"), _flag(fields, "camera"), _text(fields, "seat", 1000))
        case "state":
            return MediaState(_flag(fields, "mic"), _flag(fields, "camera"))
        case "signal":
            return Signal(_text(fields, "to", 32), _negotiation(fields.get("data")))
        case "leave":
            return Leave()
        case "ping":
            return Ping()
    raise Malformed("unknown_type")


def clean_name(name: str) -> str:
    """A name as others will see it: one line, no control or direction-changing character, at most LONGEST_NAME long."""
    visible = "".join(" " if unicodedata.category(letter) in _SPACES else letter for letter in name)
    kept = "".join(letter for letter in visible if unicodedata.category(letter) not in _INVISIBLE)
    return " ".join(unicodedata.normalize("NFC", kept).split())[:LONGEST_NAME].strip()


_SPACES = {"Zl", "Zp", "Zs", "Cc"}
_INVISIBLE = {"Cf", "Cs", "Co", "Cn"}


def _text(fields: dict[str, Any], name: str, longest: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed(f"bad_{name}")
    return value


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Malformed(f"bad_{name}")
    return value


def _negotiation(data: object) -> dict[str, Any]:
    """A copy of what WebRTC needs and nothing more: a description, a candidate, or the wish to start again."""
    if not isinstance(data, dict):
        raise Malformed("bad_data")
    match data:
        case {"description": {"type": "offer" | "answer" | "rollback" as kind, "sdp": str(sdp)}}:
            copy: dict[str, Any] = {"description": {"type": kind, "sdp": sdp}}
        case {"candidate": None}:
            copy = {"candidate": None}
        case {"candidate": {"candidate": str(line)} as candidate}:
            copy = {"candidate": {"candidate": line, **_candidate_place(candidate)}}
        case {"again": True}:
            copy = {"again": True}
        case _:
            raise Malformed("bad_data")
    attempt = data.get("attempt", 0)
    if not isinstance(attempt, int) or isinstance(attempt, bool) or not 0 <= attempt < 2**31:
        raise Malformed("bad_data")
    return {**copy, "attempt": attempt}


def _candidate_place(candidate: dict[str, Any]) -> dict[str, Any]:
    """sdpMid, sdpMLineIndex and usernameFragment (RTCIceCandidateInit), each checked."""
    place: dict[str, Any] = {}
    for name in ("sdpMid", "usernameFragment"):
        value = candidate.get(name)
        if value is not None and not isinstance(value, str):
            raise Malformed("bad_data")
        place[name] = value
    line = candidate.get("sdpMLineIndex")
    if line is not None and (not isinstance(line, int) or isinstance(line, bool) or not 0 <= line < 1000):
        raise Malformed("bad_data")
    place["sdpMLineIndex"] = line
    return place


class Allowance:
    """A bucket of frames: `burst` at once, then `rate` a second. The clock is passed in, in seconds."""

    def __init__(self, *, burst: int, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more frame is allowed at `now`."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
