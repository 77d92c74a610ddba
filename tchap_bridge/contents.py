"""A message as the homeserver takes it, and as our row keeps it."""

from __future__ import annotations

from typing import Any

from tchap_bridge.matrix import Json
from tchap_bridge.messages import Text
from tchap_bridge.models import TchapMessage

# Our own key in a message's content: how a second try recognises the first one's event.
MESSAGE_KEY = "fr.gouv.numerique.portail.message"


def message_content(message: TchapMessage) -> Json:
    """The content of m.room.message. `m.mentions` is there and empty: a title with "@room" in it must ring nobody."""
    shown: Json = {
        "msgtype": "m.notice" if message.quiet else "m.text",
        "body": message.body,
        "format": "org.matrix.custom.html",
        "formatted_body": message.formatted_body,
        "m.mentions": {},
    }
    content: Json = {**shown, MESSAGE_KEY: str(message.transaction_id)}
    if message.replaces:
        content |= {
            "body": f"* {message.body}",
            "formatted_body": f"* {message.formatted_body}",
            "m.new_content": shown,
            "m.relates_to": {"rel_type": "m.replace", "event_id": message.replaces},
        }
    return content


def columns(text: Text, *, quiet: bool = False, replaces: str = "") -> dict[str, Any]:
    return {"body": text.body, "formatted_body": text.html, "quiet": quiet, "replaces": replaces}
