"""The caught messages on disk: `<id>.eml` as received, `<id>.json` the envelope; bounded, oldest out first."""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path

MOST_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One caught message. `recipients` are the envelope's; `connection` numbers the SMTP session that brought it."""

    id: int
    connection: int
    sender: str
    recipients: list[str]
    subject: str
    message_id: str
    received_at: str
    size: int

    def is_for(self, address: str) -> bool:
        return address.lower() in (recipient.lower() for recipient in self.recipients)


class Store:
    def __init__(self, folder: Path, *, most: int = MOST_KEPT) -> None:
        self.folder = folder
        self.most = most
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._summaries: OrderedDict[int, Summary] = OrderedDict()
        for file in sorted(folder.glob("*.json")):
            summary = Summary(**json.loads(file.read_text()))
            self._summaries[summary.id] = summary
        self._last = max(self._summaries, default=0)

    def add(self, *, raw: bytes, sender: str, recipients: Sequence[str], connection: int) -> Summary:
        headers = BytesHeaderParser(policy=policy.default).parsebytes(raw)
        with self._lock:
            self._last += 1
            summary = Summary(
                id=self._last,
                connection=connection,
                sender=sender,
                recipients=list(recipients),
                subject=str(headers.get("Subject", "")),
                message_id=str(headers.get("Message-ID", "")).strip(),
                received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                size=len(raw),
            )
            self._file(summary.id, "eml").write_bytes(raw)
            self._file(summary.id, "json").write_text(json.dumps(asdict(summary)))
            self._summaries[summary.id] = summary
            while len(self._summaries) > self.most:
                self._remove(next(iter(self._summaries)))
        return summary

    def newest(self, *, to: str = "", subject: str = "", limit: int = 50, before: int = 0) -> list[Summary]:
        """At most `limit` messages, newest first: for the address `to`, with `subject` inside, older than `before`."""
        found: list[Summary] = []
        with self._lock:
            for summary in reversed(self._summaries.values()):
                if len(found) == limit:
                    break
                if (before and summary.id >= before) or (to and not summary.is_for(to)):
                    continue
                if subject and subject.lower() not in summary.subject.lower():
                    continue
                found.append(summary)
        return found

    def count(self) -> int:
        with self._lock:
            return len(self._summaries)

    def get(self, number: int) -> tuple[Summary, bytes] | None:
        with self._lock:
            summary = self._summaries.get(number)
            return (summary, self._file(number, "eml").read_bytes()) if summary else None

    def clear(self, *, to: str = "") -> int:
        """Remove every message, or those for one address; answers how many."""
        with self._lock:
            gone = [number for number, summary in self._summaries.items() if not to or summary.is_for(to)]
            for number in gone:
                self._remove(number)
        return len(gone)

    def _remove(self, number: int) -> None:
        del self._summaries[number]
        self._file(number, "json").unlink(missing_ok=True)
        self._file(number, "eml").unlink(missing_ok=True)

    def _file(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:09d}.{kind}"
