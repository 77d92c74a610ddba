"""Calendar files written by hand, as other programs export them."""

from __future__ import annotations


def event(*lines: str, uid: str = "a@ailleurs.example", summary: str = "Point d’équipe") -> str:
    head = [f"UID:{uid}"] if uid else []
    return "\r\n".join(["BEGIN:VEVENT", *head, f"SUMMARY:{summary}", *lines, "END:VEVENT"])


def timed(*lines: str, start: str = "20270112T100000", end: str = "20270112T110000", **named: str) -> str:
    zone = ";TZID=Europe/Paris"
    return event(f"DTSTART{zone}:{start}", f"DTEND{zone}:{end}", *lines, **named)


def calendar(*events: str, head: tuple[str, ...] = ()) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ailleurs//FR", *head, *events, "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()
