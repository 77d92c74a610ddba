"""Examples for the API's document: one meeting, its dates and its people, the same everywhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_ID = "6f1c2c54-7a3e-4d0e-9b4e-2a0c3a1f9d11"
_ROOM = "5f3f6a52-0f6d-4a36-9d59-3f6c6c2f3b11"
PERSON: dict[str, Any] = {
    "id": "0b0a4e9e-5a53-4f8b-8a50-6dbb8f2f0c55",
    "name": "Anne Le Goff",
    "email": "anne.le-goff@bretagne.example",
    "organisation": "Préfecture de Bretagne",
    "job_title": "Cheffe de projet",
    "time_zone": "Europe/Paris",
}
_ATTENDEE: dict[str, Any] = {
    "id": "b3a2dfa0-7c52-4b1c-a4ab-6c3d7a3f0e02",
    "name": "Karim Benali",
    "email": "karim.benali@finistere.example",
    "role": "required",
    "answer": "accepted",
    "answered_at": "2026-11-20T08:12:45Z",
    "answered_revision": 1,
    "comment": "",
}
_DATE: dict[str, Any] = {
    "id": "20261126T093000Z",
    "meeting": _ID,
    "start": "2026-11-26T10:30",
    "last_day": None,
    "time_zone": "Europe/Paris",
    "minutes": 45,
    "all_day": False,
    "starts_at": "2026-11-26T09:30:00Z",
    "ends_at": "2026-11-26T10:15:00Z",
    "status": "confirmed",
    "overridden": False,
    "title": "Comité de suivi",
    "place": "Fontenoy 1.03",
    "answer": "accepted",
}
_MEETING: dict[str, Any] = {
    "id": _ID,
    "uid": "7b0f3a0e-61ae-4b0c-8a6e-5b7d2c1e9f00@portail.example",
    "title": "Comité de suivi",
    "description": "Ordre du jour : recette, calendrier.",
    "place": "Fontenoy 1.03",
    "privacy": "public",
    "status": "confirmed",
    "start": "2026-11-19T10:30",
    "time_zone": "Europe/Paris",
    "minutes": 45,
    "all_day": False,
    "rrule": "FREQ=WEEKLY;BYDAY=TH",
    "rdates": [],
    "exdates": ["2026-12-24T10:30"],
    "repeats": "Toutes les semaines, le jeudi",
    "is_series": True,
    "starts_at": "2026-11-26T09:30:00Z",
    "ends_at": "2026-11-26T10:15:00Z",
    "occurrence": _DATE,
    "sequence": 0,
    "revision": 1,
    "split_from": None,
    "scheduled_by": None,
    "organiser": PERSON,
    "attendees": [_ATTENDEE],
    "attendee_count": 2,
    "resources": [_ROOM],
    "visio": True,
    "tchap": False,
    "join_url": "https://portail.example/visio/abc-defg-hij/",
    "tchap_url": None,
    "can_edit": True,
    "undo_until": None,
    "notices": [],
}

PEOPLE = OpenApiExample("One person", value={"results": [PERSON]}, response_only=True)
MEETING = OpenApiExample("A weekly meeting", value=_MEETING, response_only=True)
OCCURRENCE = OpenApiExample("One Thursday", value=_DATE, response_only=True)
OCCURRENCE_DETAIL = OpenApiExample(
    "One Thursday and its people",
    value={
        **_DATE,
        "description": _MEETING["description"],
        "revision": 1,
        "attendees": [_ATTENDEE],
        "resources": [_ROOM],
        "can_edit": True,
    },
    response_only=True,
)
COUNTER = OpenApiExample(
    "An hour later",
    value={
        "id": "e4a7c0b2-1f1d-4e0c-9d0e-3b8f0a6c5d10",
        "meeting": _ID,
        "occurrence": "20261126T093000Z",
        "attendee": _ATTENDEE,
        "starts_at": "2026-11-26T10:30:00Z",
        "ends_at": "2026-11-26T11:15:00Z",
        "comment": "Je sors d’une autre réunion à onze heures.",
        "revision": 1,
        "state": "pending",
        "created_at": "2026-11-20T08:15:00Z",
        "decided_at": None,
    },
    response_only=True,
)
INPUTS = [
    OpenApiExample(
        "A meeting of three quarters of an hour",
        value={
            "title": "Comité de suivi",
            "start": "2026-11-26T10:30",
            "minutes": 45,
            "time_zone": "Europe/Paris",
            "attendees": [
                {"email": "karim.benali@finistere.example"},
                {"email": "lea@agence.example", "role": "optional"},
            ],
        },
        request_only=True,
    ),
    OpenApiExample(
        "Every Thursday, in a room",
        value={
            "title": "Comité de suivi",
            "start": "2026-11-26T10:30",
            "minutes": 45,
            "rrule": "FREQ=WEEKLY;BYDAY=TH;COUNT=10",
            "exdates": ["2026-12-24T10:30"],
            "resources": [_ROOM],
        },
        request_only=True,
    ),
    OpenApiExample(
        "Two whole days, in somebody's name",
        value={
            "title": "Séminaire",
            "all_day": True,
            "start": "2026-12-03",
            "end": "2026-12-04",
            "on_behalf_of": PERSON["id"],
        },
        request_only=True,
    ),
]
EDIT = OpenApiExample(
    "Another hour",
    value={"title": "Comité de suivi", "start": "2026-11-26T11:30", "minutes": 45, "attendees": [], "revision": 1},
    request_only=True,
)
PATCH = OpenApiExample("Another title alone", value={"title": "Comité de suivi n° 4"}, request_only=True)
PATCH_DATE = OpenApiExample(
    "This date an hour later", value={"start": "2026-11-26T11:30", "minutes": 45, "revision": 1}, request_only=True
)
ANSWER = OpenApiExample(
    "Not this time", value={"answer": "declined", "comment": "En congé ce jour-là."}, request_only=True
)
COUNTER_INPUT = OpenApiExample(
    "An hour later",
    value={
        "occurrence": "20261126T093000Z",
        "starts_at": "2026-11-26T10:30:00Z",
        "ends_at": "2026-11-26T11:15:00Z",
        "comment": "Je sors d’une autre réunion à onze heures.",
    },
    request_only=True,
)
REFUSAL = OpenApiExample("With a word", value={"words": "La salle n’est pas libre plus tard."}, request_only=True)
AGENDA = OpenApiExample(
    "A morning and a whole day",
    value={
        "from": "2026-11-23T00:00:00Z",
        "to": "2026-11-30T00:00:00Z",
        "time_zone": "Europe/Paris",
        "results": [
            {
                "meeting": _ID,
                "occurrence": "20261126T093000Z",
                "title": "Comité de suivi",
                "place": "Fontenoy 1.03",
                "organiser": "Anne Le Goff",
                "all_day": False,
                "start": "2026-11-26T10:30",
                "end": "2026-11-26T11:15",
                "starts_at": "2026-11-26T09:30:00Z",
                "ends_at": "2026-11-26T10:15:00Z",
                "is_series": True,
                "private": False,
                "role": "required",
                "answer": "accepted",
                "people": 2,
                "join_url": "https://portail.example/visio/abc-defg-hij/",
            },
            {
                "meeting": "1c8a0f6e-2f4b-4d53-8a6b-0c9e7d5b3a21",
                "occurrence": "only",
                "title": "Séminaire",
                "place": "",
                "organiser": "Anne Le Goff",
                "all_day": True,
                "start": "2026-11-27",
                "end": "2026-11-27",
                "starts_at": "2026-11-26T23:00:00Z",
                "ends_at": "2026-11-27T23:00:00Z",
                "is_series": False,
                "private": False,
                "role": "chair",
                "answer": "accepted",
                "people": 4,
                "join_url": None,
            },
        ],
    },
    response_only=True,
)
