"""Look from outside at what the portal did: the caught mail and the homeserver's rooms."""

import json
import urllib.request
import uuid
from typing import Any
from urllib.parse import quote, urlencode

from suite.local.parts.homeserver import Homeserver, MatrixRefused, localpart
from suite.local.parts.mailcatcher import MailCatcher
from tests.waiting import PATIENCE, until


class Mailbox:
    """The worker's mail catcher, emptied before the test."""

    def __init__(self, part: MailCatcher) -> None:
        self.part = part

    def messages(self, to: str = "", *, subject: str = "", limit: int = 500, before: int = 0) -> list[dict[str, Any]]:
        """Summaries, newest first: id, connection, sender, recipients, subject, message_id, received_at, size."""
        found: list[dict[str, Any]] = self._call(
            "GET", "/api/messages?" + urlencode({"to": to, "subject": subject, "limit": limit, "before": before})
        )
        return found

    def count(self) -> int:
        return int(self._call("GET", "/api/health")["messages"])

    def wait(
        self, to: str = "", *, count: int = 1, subject: str = "", seconds: float = PATIENCE
    ) -> list[dict[str, Any]]:
        """Wait until `count` messages are there and answer them whole (see `read`), newest first."""

        def enough() -> list[dict[str, Any]]:
            found = self.messages(to, subject=subject)
            return found if len(found) >= count else []

        found = until(enough, seconds, what=f"{count} message(s) to {to or 'anybody'} {subject!r}; {self.messages()}")
        return [self.read(one["id"]) for one in found]

    def read(self, number: int) -> dict[str, Any]:
        """A message with headers, text, html, calendars [{method, filename, type, content}], attachments."""
        found: dict[str, Any] = self._call("GET", f"/api/messages/{number}")
        return found

    def raw(self, number: int) -> bytes:
        with self._open("GET", f"/api/messages/{number}/raw") as answer:
            body: bytes = answer.read()
            return body

    def refuse(self, recipient: str, reply: str, *, times: int | None = None) -> None:
        """Answer RCPT for `recipient` ("*": all) by `reply`, e.g. "451 4.3.0 Try again later"."""
        self._call("POST", "/api/rules", {"recipient": recipient, "reply": reply, "times": times})

    def delay(self, recipient: str, seconds: float, *, times: int | None = None) -> None:
        """Hold messages for `recipient` back for `seconds` before the 250."""
        self._call("POST", "/api/rules", {"recipient": recipient, "seconds": seconds, "times": times})

    def lose_reply(self, recipient: str, *, times: int | None = 1) -> None:
        """Keep the message, then drop the connection instead of saying 250."""
        self._call("POST", "/api/rules", {"recipient": recipient, "lose_reply": True, "times": times})

    def behave(self) -> None:
        """Forget every rule."""
        self._call("DELETE", "/api/rules")

    def clear(self) -> None:
        self._call("DELETE", "/api/messages")

    def _open(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.part.page_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        with self._open(method, path, body) as answer:
            return json.load(answer)


class Matrix:
    """A running homeserver seen from outside: accounts, and rooms as one of their members sees them."""

    def __init__(self, part: Homeserver) -> None:
        self.part = part
        self.url = part.url
        self.server_name = part.server_name
        self.bot_token = part.bot_token
        self.as_token = part.as_token
        self.hs_token = part.hs_token
        self.bot = f"@visio:{part.server_name}"

    def user(self, email: str, displayname: str = "") -> "MatrixUser":
        """The account that Tchap would derive from `email`, made when there is none."""
        name = localpart(email)
        return MatrixUser(self, f"@{name}:{self.server_name}", self.part.token_for(name, displayname=displayname))

    @property
    def as_bot(self) -> "MatrixUser":
        return MatrixUser(self, self.bot, self.bot_token)

    def admin(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Synapse's admin API, e.g. `admin("GET", "/_synapse/admin/v1/rooms")`."""
        return self.part.call(method, path, token=self.part.admin_token, body=body)

    def rooms_named(self, name: str) -> list[dict[str, Any]]:
        """Every room of the server with this exact name, as an administrator sees it."""
        found = self.admin("GET", "/_synapse/admin/v1/rooms?" + urlencode({"search_term": name, "limit": 100}))
        return [room for room in found["rooms"] if room["name"] == name]

    def room_id(self, alias: str) -> str | None:
        """The room behind "#alias:server", or None."""
        try:
            return str(self.part.call("GET", f"/_matrix/client/v3/directory/room/{quote(alias)}")["room_id"])
        except MatrixRefused as refused:
            if refused.status == 404:
                return None
            raise

    def members(self, room_id: str) -> dict[str, str]:
        """{mxid: membership} out of the room's state, as an administrator sees it."""
        state = self.admin("GET", f"/_synapse/admin/v1/rooms/{quote(room_id)}/state")["state"]
        return {e["state_key"]: e["content"]["membership"] for e in state if e["type"] == "m.room.member"}


class MatrixUser:
    """One account with its token."""

    def __init__(self, matrix: Matrix, mxid: str, token: str) -> None:
        self.matrix = matrix
        self.mxid = mxid
        self.token = token

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """`path` is below /_matrix/client/v3; MatrixRefused on an error status."""
        return self.matrix.part.call(method, f"/_matrix/client/v3{path}", token=self.token, body=body)

    def invitations(self) -> list[str]:
        """The ids of the rooms that wait for this person's answer."""
        # Synapse keeps an initial sync's answer for two minutes by its parameters: a time-out never asked before gets a new
        # one (and is not waited for, since there is no `since`).
        fresh = uuid.uuid4().int % 10**9
        return sorted(self.call("GET", f"/sync?timeout={fresh}").get("rooms", {}).get("invite", {}))

    def join(self, room_id: str) -> None:
        self.call("POST", f"/join/{quote(room_id)}", {})

    def say(self, room_id: str, text: str) -> str:
        """Send a text and answer its event id."""
        body = {"msgtype": "m.text", "body": text}
        path = f"/rooms/{quote(room_id)}/send/m.room.message/{uuid.uuid4()}"
        return str(self.call("PUT", path, body)["event_id"])

    def state(self, room_id: str) -> dict[tuple[str, str], dict[str, Any]]:
        """{(type, state key): content} of a room this person is in."""
        events: Any = self.call("GET", f"/rooms/{quote(room_id)}/state")
        return {(event["type"], event["state_key"]): event["content"] for event in events}

    def texts(self, room_id: str) -> list[str]:
        """The bodies of the room's messages, oldest first."""
        chunk = self.call("GET", f"/rooms/{quote(room_id)}/messages?dir=b&limit=100")["chunk"]
        return [event["content"].get("body", "") for event in reversed(chunk) if event["type"] == "m.room.message"]
