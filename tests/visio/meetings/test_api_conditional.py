"""Two tools at once, versions, retries, and what the API refuses: every refusal is a problem document."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from rest_framework.exceptions import Throttled

from suite.agents.problems import problem_json
from tests import factories
from tests.visio.meetings.test_api import LIST, api, body, post, tomorrow, url
from tests.visio.meetings.test_api_series import monday, send
from visio.meetings.models import Delivery, Meeting

pytestmark = pytest.mark.django_db


def test_what_is_known_is_not_sent_again_and_an_answer_is_news() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = factories.meeting(agent, guests=[guest])
    tool = api(agent)
    tag = tool.get(url(meeting))["ETag"]
    same = tool.get(url(meeting), headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    send(api(guest), "post", url(meeting, "answer/"), {"answer": "accepted"})
    news = tool.get(url(meeting), headers={"If-None-Match": tag})
    assert news.status_code == 200
    # … and no conflict for whoever edits what they had read.
    assert send(tool, "patch", url(meeting), {"title": "Neuf"}, **{"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_stale_tag_writes_nothing_and_is_told_what_is_true(method: str) -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent, guests=[factories.agent()])
    tool = api(agent)
    tag = tool.get(url(meeting))["ETag"]
    assert send(tool, "patch", url(meeting), {"title": "Entre-temps"}, **{"If-Match": tag}).status_code == 200
    data = None if method == "delete" else body(title="Trop tard")
    late = send(tool, method, url(meeting), data, **{"If-Match": tag})
    assert (late.status_code, late.json()["type"]) == (412, "urn:suite:problem:precondition-failed")
    assert (late.json()["meeting"]["title"], late.json()["meeting"]["revision"]) == ("Entre-temps", 2)
    assert Meeting.objects.get().status == "confirmed"
    current = tool.get(url(meeting))["ETag"]
    assert send(tool, method, url(meeting), data, **{"If-Match": f'"9-x", {current}'}).status_code == 200


def test_a_put_says_what_was_read() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    answer = send(api(agent), "put", url(meeting), body())
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["revision"])


@pytest.mark.django_db(transaction=True)
def test_of_two_editors_at_once_one_wins_and_one_is_told() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    tool = api(agent)
    tag = tool.get(url(meeting))["ETag"]
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def edit(title: str) -> None:
        try:
            barrier.wait(timeout=10)
            answers.append(send(tool, "patch", url(meeting), {"title": title}, **{"If-Match": tag}))
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=(title,)) for title in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    meeting.refresh_from_db()
    assert (meeting.title, meeting.revision) == (won["title"], 2)


@pytest.mark.parametrize("tail", ["answer/", "occurrences/only/answer/"])
def test_an_answer_is_given_once_a_key(tail: str) -> None:
    organiser, guest = factories.agent(), factories.agent()
    meeting = factories.meeting(organiser, guests=[guest])
    tool = api(guest)
    first = send(tool, "post", url(meeting, tail), {"answer": "accepted"}, **{"Idempotency-Key": "a"})
    again = send(tool, "post", url(meeting, tail), {"answer": "accepted"}, **{"Idempotency-Key": "a"})
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (200, 200, "true")
    assert again.json() == first.json()
    other = send(tool, "post", url(meeting, tail), {"answer": "declined"}, **{"Idempotency-Key": "a"})
    assert other.status_code == 422


REFUSED: list[tuple[str, str, str, dict[str, Any], int]] = [
    ("get", "/api/v1/", "", {}, 404),
    ("get", "/api/v1/nothing/", "", {}, 404),
    ("get", "/api/v1/nothing", "", {}, 404),
    ("post", "/api/v1/meetings/x/", "{}", {}, 404),
    ("delete", LIST, "", {}, 405),
    ("options", LIST, "", {}, 405),
    ("get", LIST, "", {"HTTP_ACCEPT": "text/csv"}, 406),
    ("post", LIST, "a=b", {"content_type": "application/x-www-form-urlencoded"}, 415),
    ("post", LIST, '{"title": "\\ud800"}', {}, 400),
    ("post", LIST, '{"title": "' + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}', {}, 413),
    ("post", LIST, '{"title": "' + "x" * 10_000_000 + '"}', {}, 413),
    ("post", LIST, '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", {}, 400),
]


@pytest.mark.parametrize(
    ("method", "path", "raw", "extra", "status"), REFUSED, ids=[f"{row[4]} {row[0]} {row[1]}" for row in REFUSED]
)
def test_every_refusal_is_a_problem(method: str, path: str, raw: str, extra: dict[str, Any], status: int) -> None:
    arguments: dict[str, Any] = {"content_type": "application/json"} | extra
    if method not in {"get", "options"}:
        arguments["data"] = raw
    answer = getattr(api(factories.agent()), method)(path, **arguments)
    assert (answer.status_code, answer["Content-Type"], answer.json()["status"]) == (
        status,
        "application/problem+json",
        status,
    )
    assert not Meeting.objects.exists()


def test_an_address_without_its_last_slash_keeps_method_and_body() -> None:
    answer = api(factories.agent()).post("/api/v1/meetings?notify=nobody", "{}", content_type="application/json")
    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/meetings/?notify=nobody")


def test_who_is_throttled_is_told_how_long() -> None:
    answer = problem_json(Throttled(wait=12.4), {})
    assert answer is not None
    assert (answer.status_code, answer["Retry-After"], answer.data["status"]) == (429, "13", 429)


ROOMS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(500)]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": "a\x00b"}, "title"),
    ({"description": "a\x00b"}, "description"),
    ({"titel": "Recette"}, "titel"),
    ({"attendees": [{"email": "a@ext.example", "nom": "A"}]}, "attendees"),
    ({"end": "2026-01-01T10:00", "minutes": None}, "minutes"),
    ({"start": f"{monday()}T10:30", "end": f"{monday()}T09:30", "minutes": ...}, "minutes"),
    ({"start": f"{monday()}"}, "start"),
    ({"start": "9999-12-31T23:59"}, "start"),
    ({"start": 5}, "start"),
    ({"all_day": True, "start": f"{monday()}", "minutes": 90}, "minutes"),
    ({"all_day": True, "start": f"{monday()}", "minutes": 1440 * 14}, "minutes"),
    ({"minutes": 10**400}, "minutes"),
    ({"rrule": "FREQ=SECONDLY"}, "rrule"),
    ({"rrule": "FREQ=HOURLY;COUNT=3"}, "rrule"),
    ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "rrule"),
    ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;" + "BYSETPOS=1;" * 100}, "rrule"),
    ({"rrule": "FREQ=DAILY;COUNT=999999999999"}, "rrule"),
    ({"rrule": "FREQ=DAILY;UNTIL=19700101T000000Z"}, "rrule"),
    ({"rrule": "x" * 5000}, "rrule"),
    ({"rdates": [f"{monday()}T10:30"] * 1001}, "rdates"),
    ({"rdates": ["hier"]}, "rdates"),
    ({"rrule": "FREQ=WEEKLY", "exdates": [f"{monday()}T10:30Z"]}, "exdates"),
    ({"resources": ROOMS}, "resources"),
    ({"resources": ROOMS[:1]}, "resources"),
    ({"resources": ["x"]}, "resources"),
    ({"attendees": [{"email": f"g{number}@ext.example"} for number in range(10_001)]}, "attendees"),
    ({"attendees": [{"email": "a@ext.example", "role": "chair"}]}, "attendees"),
    ({"on_behalf_of": "x"}, "on_behalf_of"),
]


@pytest.mark.parametrize(
    ("changes", "field"), BAD, ids=[f"{field}-{number}" for number, (_row, field) in enumerate(BAD)]
)
def test_bad_input_is_refused_at_its_field_and_writes_nothing(changes: dict[str, Any], field: str) -> None:
    asked = {name: value for name, value in (body() | changes).items() if value is not ...}
    answer = post(api(factories.agent()), json.dumps(asked))
    assert answer.status_code == 400, answer.content[:300]
    assert field in answer.json()["errors"], answer.json()["errors"]
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()


def test_a_guest_under_two_spellings_and_the_organiser_are_folded_and_it_is_said() -> None:
    agent = factories.agent()
    guests = [{"email": agent.email.upper()}, {"email": "a@ext.example"}, {"email": " A@Ext.Example "}]
    made = post(api(agent), body(attendees=guests)).json()
    assert sorted(row["email"] for row in made["attendees"]) == sorted([agent.email, "a@ext.example"])
    assert [("vous-même" in words, "a@ext.example" in words) for words in made["notices"]] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("query", ["?notify=everybody", "?scope=all", "?notfy=nobody"])
def test_a_misspelt_parameter_does_nothing(query: str) -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    assert api(agent).delete(url(meeting, query)).status_code == 400
    assert Meeting.objects.get().status == "confirmed"


@pytest.mark.parametrize("text", ["\x00a", "%", "_", "\\", "é" * 200, "a" * 201])
def test_the_directory_survives_any_text(text: str) -> None:
    assert api(factories.agent()).get("/api/v1/directory/", {"q": text}).status_code in {200, 400}


def test_nothing_of_a_refused_put_stays() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    answer = send(api(agent), "put", url(meeting), body(title="", revision=1, start=tomorrow()))
    assert answer.status_code == 400
    meeting.refresh_from_db()
    assert (meeting.revision, meeting.title) == (1, "Comité de suivi")


def test_a_broken_host_is_told_in_json(client: Client) -> None:
    answer = client.get(LIST, HTTP_HOST="evil.example")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
