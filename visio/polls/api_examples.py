"""Examples for the API's document: one poll and its dates."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from visio.meetings.api_examples import PERSON

_ID = "3d9b7f1e-52c8-4a3f-9a44-8f2e0c6b7d10"
_KEYS = ("20261201T090000Z", "20261202T090000Z")
_POLL: dict[str, Any] = {
    "id": _ID,
    "title": "Comité de suivi",
    "description": "",
    "place": "",
    "minutes": 60,
    "time_zone": "Europe/Paris",
    "deadline": "2026-11-27T17:00:00Z",
    "status": "open",
    "shows_votes": True,
    "visio": True,
    "tchap": False,
    "organiser": PERSON,
    "asked": 2,
    "answered": 1,
    "dates": [
        {
            "id": key,
            "starts_at": f"2026-12-0{day}T09:00:00Z",
            "ends_at": f"2026-12-0{day}T10:00:00Z",
            "yes": 2 - day,
            "if_need_be": day - 1,
            "no": 0,
            "best": day == 1,
            "chosen": False,
        }
        for day, key in enumerate(_KEYS, start=1)
    ],
    "people": [
        {
            "name": "Karim Benali",
            "email": "karim.benali@finistere.example",
            "required": True,
            "answered_at": "2026-11-21T14:02:10Z",
            "comment": "",
            "votes": dict(zip(_KEYS, ("yes", "if_need_be"), strict=True)),
        }
    ],
    "meeting": None,
    "can_edit": True,
}

POLL = OpenApiExample("An open poll", value=_POLL, response_only=True)
SUMMARY = OpenApiExample(
    "An open poll",
    value={
        "id": _ID,
        "title": "Comité de suivi",
        "status": "open",
        "deadline": "2026-11-27T17:00:00Z",
        "organiser": PERSON,
        "asked": 2,
        "answered": 1,
        "waits_for_me": True,
    },
    response_only=True,
)
VOTE = OpenApiExample(
    "The first rather than the second",
    value={"votes": dict(zip(_KEYS, ("yes", "if_need_be"), strict=True)), "comment": ""},
    request_only=True,
)
CHOICE = OpenApiExample("The first date", value={"date": _KEYS[0]}, request_only=True)
