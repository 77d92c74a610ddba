"""What is inside a caught message, as the page and the JSON show it."""

from email import policy
from email.parser import BytesParser
from typing import Any, cast

# Larger parts are named, not shown.
MOST_SHOWN = 500_000


def parts_of(raw: bytes) -> dict[str, Any]:
    """Headers, `text`, `html` (or None), `calendars` [{method, content}], `attachments` [{filename, type, size}]."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    found: dict[str, Any] = {
        "headers": [[name, str(value)] for name, value in message.items()],
        "structure": message.get_content_type(),
        "text": None,
        "html": None,
        "calendars": [],
        "attachments": [],
    }
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        payload = cast(bytes, part.get_payload(decode=True) or b"")
        content = payload.decode(part.get_content_charset() or "utf-8", errors="replace")[:MOST_SHOWN]
        filename = part.get_filename()
        if kind == "text/calendar" or (filename or "").endswith(".ics"):
            method = str(part.get_param("method") or "")
            found["calendars"].append({"method": method, "filename": filename, "type": kind, "content": content})
        elif filename or part.get_content_disposition() == "attachment":
            found["attachments"].append({"filename": filename, "type": kind, "size": len(payload)})
        elif kind == "text/html" and found["html"] is None:
            found["html"] = content
        elif kind == "text/plain" and found["text"] is None:
            found["text"] = content
    return found
