"""The only module that speaks Matrix: a thin client of the client-server API, over httpx, with one error.

Two transports. "bot" is an ordinary account; "appservice" is an application service, which may also speak as the users of its
own namespace (`user_id=`), and never as anybody else. Specification: https://spec.matrix.org/v1.16/client-server-api/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import quote

import httpx
from django.conf import settings

# A homeserver that is down is noticed at once; one that is slow gets the time that a room creation takes.
TIME_OUT = httpx.Timeout(connect=5.0, read=20.0, write=10.0, pool=5.0)
# The users that the application service may speak as (see registration.py).
OUR_USERS = re.compile(r"@visio-[a-z0-9._=\-/]*")
LONGEST_WORDS = 300
# How the words begin when there was no answer.
UNREACHABLE = "homeserver unreachable"
CUT_OFF = "no answer from the homeserver"

Json = dict[str, Any]


class MatrixError(Exception):
    """The homeserver refused or could not be reached; `permanent` says that trying again changes nothing.

    `errcode` and `words` are the homeserver's ("" and the kind of failure when it did not answer), `status` the HTTP status
    (0 without an answer), `retry_after` how long it asked us to wait.
    """

    def __init__(
        self,
        errcode: str,
        status: int,
        words: str,
        *,
        permanent: bool,
        retry_after: timedelta | None = None,
    ) -> None:
        self.errcode = errcode
        self.status = status
        self.words = words[:LONGEST_WORDS]
        self.permanent = permanent
        self.retry_after = retry_after
        super().__init__(" ".join(part for part in [str(status or ""), errcode, self.words] if part))


@dataclass(frozen=True)
class MatrixAccess:
    """Where the homeserver is and who we are there."""

    url: str
    token: str
    server_name: str
    transport: Literal["bot", "appservice"] = "bot"


def configured_access() -> MatrixAccess | None:
    """The access that the settings give, or None when no homeserver is configured."""
    if not (settings.MATRIX_HOMESERVER_URL and settings.MATRIX_ACCESS_TOKEN and settings.MATRIX_SERVER_NAME):
        return None
    transport: Literal["bot", "appservice"] = "appservice" if settings.MATRIX_TRANSPORT == "appservice" else "bot"
    return MatrixAccess(
        url=settings.MATRIX_HOMESERVER_URL,
        token=settings.MATRIX_ACCESS_TOKEN,
        server_name=settings.MATRIX_SERVER_NAME,
        transport=transport,
    )


@dataclass(frozen=True)
class NewRoom:
    alias_localpart: str
    name: str
    topic: str
    initial_state: tuple[StateContent, ...]
    # Never with "users": the creator must be there before room version 12, and must not be from 12 on.
    power_levels: Mapping[str, Any]


@dataclass(frozen=True)
class StateContent:
    type: str
    content: Mapping[str, Any]
    state_key: str = ""


@dataclass(frozen=True)
class Event:
    """An event of a room. `state_key` is None for what is not state, `room_id` "" where the answer does not repeat it."""

    event_id: str
    type: str
    sender: str
    content: Json
    state_key: str | None = None
    room_id: str = ""


@dataclass(frozen=True)
class Profile:
    user_id: str
    display_name: str


class Matrix:
    """One connection to the homeserver; a context manager. Every method raises MatrixError."""

    def __init__(
        self, access: MatrixAccess, *, user_id: str | None = None, before: Callable[[], None] | None = None
    ) -> None:
        """`user_id` speaks as that user: for an application service, within its namespace on our server (else ValueError).

        `before` is called before every request, and stops it by raising.
        """
        if user_id is not None:
            local, _colon, server = user_id.partition(":")
            if access.transport != "appservice" or server != access.server_name or not OUR_USERS.fullmatch(local):
                raise ValueError(f"{user_id} is outside our namespace")
        self.access = access
        self._as_user = user_id
        self._before = before
        self._me: str | None = None
        self._http = httpx.Client(
            base_url=access.url,
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=TIME_OUT,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._http.close()

    # --- ourselves and others -----------------------------------------------------------------------------------
    def whoami(self) -> str:
        """Our own user id (asked once a connection)."""
        if self._me is None:
            self._me = _text(self._call("GET", "/_matrix/client/v3/account/whoami"), "user_id")
        return self._me

    def profile(self, user_id: str) -> Profile | None:
        """The account's profile, None when there is none. An invitation does not check that, so ask before."""
        try:
            found = self._call("GET", _path("/_matrix/client/v3/profile/{}", user_id))
        except MatrixError as error:
            # 400 M_INVALID_PARAM: no user id at all. 403: a server that hides the profiles of people it does not share a room with.
            if error.status in (400, 403, 404):
                return None
            raise
        return Profile(user_id, str(found.get("displayname") or ""))

    def server_of_address(self, email: str) -> str | None:
        """The homeserver that Tchap's directory names for an address; None when this server has no such directory."""
        try:
            found = self._call("GET", "/_matrix/identity/api/v1/info", query={"medium": "email", "address": email})
        except MatrixError as error:
            if error.status in (400, 401, 403, 404, 405):
                return None
            raise
        return str(found["hs"]) if found.get("hs") else None

    # --- rooms --------------------------------------------------------------------------------------------------
    def create_room(self, new: NewRoom) -> str:
        """The new room's id; errcode M_ROOM_IN_USE when its alias is taken (there is no transaction id for this)."""
        body = {
            "preset": "private_chat",
            "visibility": "private",
            "room_alias_name": new.alias_localpart,
            "name": new.name,
            "topic": new.topic,
            "initial_state": [
                {"type": state.type, "state_key": state.state_key, "content": dict(state.content)}
                for state in new.initial_state
            ],
            "power_level_content_override": dict(new.power_levels),
        }
        return _text(self._call("POST", "/_matrix/client/v3/createRoom", body=body), "room_id")

    def room_of_alias(self, alias: str) -> str | None:
        try:
            return _text(self._call("GET", _path("/_matrix/client/v3/directory/room/{}", alias)), "room_id")
        except MatrixError as error:
            if error.status == 404:
                return None
            raise

    def forget_alias(self, alias: str) -> None:
        self._call("DELETE", _path("/_matrix/client/v3/directory/room/{}", alias))

    def state(self, room_id: str) -> tuple[Event, ...]:
        """The room's whole current state; 403 when we are not in it."""
        found = self._send_request("GET", _path("/_matrix/client/v3/rooms/{}/state", room_id))
        return _events(found)

    def state_content(self, room_id: str, event_type: str, state_key: str = "") -> Json | None:
        """The content of one state event, None when the room has none."""
        try:
            return self._call("GET", _path("/_matrix/client/v3/rooms/{}/state/{}/{}", room_id, event_type, state_key))
        except MatrixError as error:
            if error.status == 404:
                return None
            raise

    def put_state(self, room_id: str, state: StateContent) -> str:
        """The event id; putting the same content again gives the same one."""
        path = _path("/_matrix/client/v3/rooms/{}/state/{}/{}", room_id, state.type, state.state_key)
        return _text(self._call("PUT", path, body=dict(state.content)), "event_id")

    def send(self, room_id: str, content: Mapping[str, Any], *, transaction_id: str) -> str:
        """Send an m.room.message; the event id. The homeserver knows a transaction id again for 30 min to 24 h only."""
        path = _path("/_matrix/client/v3/rooms/{}/send/m.room.message/{}", room_id, transaction_id)
        return _text(self._call("PUT", path, body=dict(content)), "event_id")

    def latest_messages(self, room_id: str, *, limit: int = 100) -> tuple[Event, ...]:
        """The newest events of the room, newest first."""
        found = self._call(
            "GET", _path("/_matrix/client/v3/rooms/{}/messages", room_id), query={"dir": "b", "limit": str(limit)}
        )
        return _events(found.get("chunk"))

    # --- members ------------------------------------------------------------------------------------------------
    def invite(self, room_id: str, user_id: str) -> None:
        """403 when already in the room or banned (ask `membership`); an unknown account is NOT refused (ask `profile`)."""
        self._call("POST", _path("/_matrix/client/v3/rooms/{}/invite", room_id), body={"user_id": user_id})

    def kick(self, room_id: str, user_id: str, *, reason: str) -> None:
        self._call(
            "POST", _path("/_matrix/client/v3/rooms/{}/kick", room_id), body={"user_id": user_id, "reason": reason}
        )

    def join(self, room_id: str) -> None:
        self._call("POST", _path("/_matrix/client/v3/rooms/{}/join", room_id), body={})

    def membership(self, room_id: str, user_id: str) -> str:
        """ "join", "invite", "leave", "ban" or "" (never was there); 403 when we are not in the room ourselves."""
        content = self.state_content(room_id, "m.room.member", user_id)
        return str(content.get("membership", "")) if content else ""

    # --- application service ------------------------------------------------------------------------------------
    def ping(self, appservice_id: str, *, transaction_id: str) -> None:
        """Have the homeserver call us; that it can empties its backlog at once. 502 when it cannot."""
        self._call(
            "POST",
            _path("/_matrix/client/v1/appservice/{}/ping", appservice_id),
            body={"transaction_id": transaction_id},
        )

    # --- the wire -----------------------------------------------------------------------------------------------
    def _call(
        self, method: str, path: str, *, body: Json | None = None, query: Mapping[str, str] | None = None
    ) -> Json:
        found = self._send_request(method, path, body=body, query=query)
        if not isinstance(found, dict):
            raise MatrixError("", 200, "the answer is no JSON object", permanent=False)
        return found

    def _send_request(
        self, method: str, path: str, *, body: Json | None = None, query: Mapping[str, str] | None = None
    ) -> object:
        if self._before is not None:
            self._before()
        asked = dict(query or {})
        if self._as_user is not None:
            asked["user_id"] = self._as_user
        try:
            answer = self._http.request(method, path, json=body, params=asked or None)
        except httpx.RequestError as error:
            # Refused, unresolved, cut off or too slow: the request may or may not have been done.
            kind = UNREACHABLE if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) else CUT_OFF
            raise MatrixError("", 0, f"{kind} ({type(error).__name__})", permanent=False) from error
        return _read(answer)


def _path(template: str, *parts: str) -> str:
    """`template` with each {} replaced by a part, every reserved character escaped: ids hold `!`, `#`, `:` and even `/`."""
    return template.format(*(quote(part, safe="") for part in parts))


def _read(answer: httpx.Response) -> object:
    try:
        found: object = answer.json()
    except ValueError:
        found = None
    if answer.status_code == 200 and found is not None:
        return found
    fields = cast(Json, found) if isinstance(found, dict) else {}
    errcode = str(fields.get("errcode", ""))[:100]
    words = str(fields.get("error", "")) or answer.reason_phrase or "an answer that is no JSON"
    raise MatrixError(
        errcode,
        answer.status_code,
        words,
        permanent=_is_permanent(answer.status_code),
        retry_after=_retry_after(fields, answer.headers) if answer.status_code == 429 else None,
    )


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise MatrixError("", 200, f"the answer lacks {name}", permanent=False)
    return value


def _is_permanent(status: int) -> bool:
    """4xx says that the request itself is wrong, except time-outs and limits. The rest is a server or a proxy in trouble."""
    return 400 <= status < 500 and status not in (408, 425, 429)


def _retry_after(fields: Json, headers: httpx.Headers) -> timedelta | None:
    milliseconds = fields.get("retry_after_ms")
    if isinstance(milliseconds, (int, float)) and 0 <= milliseconds < 1e10:
        return timedelta(milliseconds=milliseconds)
    seconds = headers.get("Retry-After", "")
    return timedelta(seconds=int(seconds)) if seconds.isascii() and seconds.isdigit() and len(seconds) < 8 else None


def _events(rows: object) -> tuple[Event, ...]:
    found = (read_event(row) for row in rows) if isinstance(rows, list) else ()
    return tuple(event for event in found if event is not None)


def read_event(row: object) -> Event | None:
    """An event out of JSON that the homeserver gave us, None when it lacks what every event has."""
    if not isinstance(row, dict):
        return None
    event_id, kind, sender, content = (row.get(name) for name in ("event_id", "type", "sender", "content"))
    state_key, room_id = row.get("state_key"), row.get("room_id")
    if not (isinstance(event_id, str) and isinstance(kind, str) and isinstance(sender, str)):
        return None
    return Event(
        event_id=event_id,
        type=kind,
        sender=sender,
        content=content if isinstance(content, dict) else {},
        state_key=state_key if isinstance(state_key, str) else None,
        room_id=room_id if isinstance(room_id, str) else "",
    )
