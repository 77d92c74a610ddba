"""The API's document is complete, and what it says holds: each GET is closed to nobody and to strangers."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from suite.agents.models import Agent
from suite.agents.scopes import SCOPES
from tests import factories
from tests.visio.meetings.test_api import api
from tests.visio.polls.asking import poll
from visio.meetings.models import Meeting
from visio.polls.models import Poll

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    answer = Client().get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    read: dict[str, Any] = json.loads(answer.content)
    return read


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and operation.get("security")
    ]


def test_the_document_is_openapi_3_1_and_names_every_operation(schema: dict[str, Any]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert schema["openapi"] == "3.1.0"
    assert {operation["operationId"] for _path, _method, operation in operations(schema)} == {
        "meetings_list",
        "meetings_create",
        "meetings_read",
        "meetings_update",
        "meetings_patch",
        "meetings_cancel",
        "meetings_answer",
        "meetings_undo",
        "occurrences_list",
        "occurrences_read",
        "occurrences_update",
        "occurrences_cancel",
        "occurrences_answer",
        "counters_list",
        "counters_propose",
        "counters_accept",
        "counters_refuse",
        "agenda_read",
        "availability_read",
        "slots_propose",
        "directory_search",
        "polls_list",
        "polls_create",
        "polls_read",
        "polls_vote",
        "polls_choose",
        "polls_close",
        "presence_read",
        "presence_choose",
        "resources_list",
    }


def test_every_operation_has_words_examples_a_right_and_its_refusals(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        name = operation["operationId"]
        assert operation.get("description"), name
        [scope] = next(one["personalToken"] for one in operation["security"] if "personalToken" in one)
        assert scope in SCOPES, name
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media.get("examples"), name
        said = operation["responses"]
        [made] = [said[status] for status in said if status[0] == "2"]
        for media in made["content"].values():
            assert media.get("examples"), name
        assert {"401", "403"} <= set(said), name
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("404" in said) is ("{" in path or "cursor" in names), name
        assert {"406", "429"} <= set(said), name
        refusals = [said[status] for status in said if status[0] == "4"]
        assert {media for one in refusals for media in one["content"]} == {"application/problem+json"}, name
        # Proposing slots writes nothing.
        assert ("Idempotency-Key" in names) is (method == "post" and name != "slots_propose"), name


def walk(schema: dict[str, Any], values: dict[str, str]) -> list[str]:
    """Every GET of the document, with the parameters that it asks for."""
    paths = []
    for path, method, operation in operations(schema):
        if method == "get":
            for name, value in values.items():
                path = path.replace(f"{{{name}}}", value)
            asked = [p["name"] for p in operation.get("parameters", []) if p.get("required") and p["in"] == "query"]
            window = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z", "q": "ab"}
            query = "&".join(f"{name}={window.get(name, values['agent'])}" for name in asked)
            paths.append(f"{path}?{query}" if query else path)
    return paths


def judge(schema: dict[str, Any], part: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a JSON value by a schema of the document."""
    document = Registry().with_resource("urn:document", Resource(contents=absolute(schema), specification=DRAFT202012))
    judged = Draft202012Validator(absolute(part), registry=document)
    return [f"{list(error.path)}: {error.message[:200]}" for error in judged.iter_errors(value)]


def absolute(part: Any) -> Any:
    """The same schema, its references naming the document."""
    if isinstance(part, dict):
        return {key: f"urn:document{value}" if key == "$ref" else absolute(value) for key, value in part.items()}
    return [absolute(one) for one in part] if isinstance(part, list) else part


def test_every_example_is_what_its_schema_says(schema: dict[str, Any]) -> None:
    for _path, _method, operation in operations(schema):
        for place in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in place.get("content", {}).values():
                for name, example in media.get("examples", {}).items():
                    assert judge(schema, media["schema"], example["value"]) == [], (operation["operationId"], name)


@pytest.mark.django_db
def test_every_get_answers_what_the_document_says(schema: dict[str, Any]) -> None:
    agent, guest = factories.agent(), factories.agent("Abel")
    meeting = factories.meeting(agent, guests=[guest])
    poll(agent, [guest])
    propose(guest, meeting)
    values = {"key": "only", "agent": str(agent.public_id)}
    tool, shown = api(agent), 0
    for path, method, operation in operations(schema):
        if method != "get" or "{counter_id}" in path:
            continue
        ids = {"/meetings/": str(meeting.public_id), "/polls/": str(Poll.objects.get().public_id)}
        public_id = next((found for part, found in ids.items() if part in path), "")
        [address] = walk({"paths": {path: {method: operation}}}, values | {"public_id": public_id})
        answer = tool.get(address)
        assert answer.status_code == 200, (address, answer.content)
        media = operation["responses"]["200"]["content"]["application/json"]
        assert judge(schema, media["schema"], answer.json()) == [], address
        shown += bool(answer.json().get("results", True))
    assert shown >= 9


def propose(guest: Agent, meeting: Meeting) -> None:
    at = timezone.now() + dt.timedelta(days=3)
    asked = {"starts_at": at.isoformat(), "ends_at": (at + dt.timedelta(hours=1)).isoformat()}
    path = f"/api/v1/meetings/{meeting.public_id}/counters/"
    assert api(guest).post(path, asked, content_type="application/json").status_code == 201


@pytest.mark.django_db
def test_no_get_opens_for_nobody_and_no_meeting_for_a_stranger(schema: dict[str, Any]) -> None:
    organiser, stranger = factories.agent(), factories.agent()
    meeting: Meeting = factories.meeting(organiser, title="Réunion secrète")
    values = {
        "public_id": str(meeting.public_id),
        "key": "only",
        "counter_id": str(uuid.uuid4()),
        "agent": str(stranger.public_id),
    }
    paths = walk(schema, values)
    assert len(paths) > 10
    tool = api(stranger)
    for path in paths:
        nobody = Client().get(path)
        assert (nobody.status_code, nobody["Content-Type"]) == (401, "application/problem+json"), path
        answer = tool.get(path)
        assert answer.status_code == (404 if values["public_id"] in path else 200), (path, answer.content)
        assert "secrète" not in answer.content.decode(), path
