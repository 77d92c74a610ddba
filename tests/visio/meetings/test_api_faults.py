"""All that is wrong with one request is told by one answer, with a pointer to each place (RFC 9457 §3, RFC 6901)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests import factories
from tests.visio.meetings.test_api import LIST, api, body, post, tomorrow, url
from tests.visio.meetings.test_api_series import dates, send, series
from visio.meetings.models import Meeting

pytestmark = pytest.mark.django_db


def faults(answer: Any) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:suite:problem:invalid"), answer.json()
    found: dict[str, Any] = answer.json()["errors"]
    return found


def pointers(answer: Any) -> list[str]:
    return [row["pointer"] for row in answer.json()["pointers"]]


def test_fields_rules_people_and_unknown_members_are_told_at_once() -> None:
    asked = {
        "titel": "Recette",
        "title": " " * 3,
        "start": "2020-01-01T10:00",
        "minutes": "beaucoup",
        "rrule": "FREQ=SECONDLY",
        "place": "x" * 1000,
        "privacy": "secret",
        "attendees": [{"email": "a@ext.example"}, {"email": "b@ext.example", "role": "roi", "rôle": "x"}],
        "resources": [str(uuid.uuid4())],
    }
    answer = post(api(factories.agent()), asked)
    assert set(faults(answer)) == set(asked)
    assert set(pointers(answer)) == {
        "#/titel",
        "#/title",
        "#/start",
        "#/minutes",
        "#/rrule",
        "#/place",
        "#/privacy",
        "#/attendees/1/role",
        "#/attendees/1/r%C3%B4le",
        "#/resources",
    }
    assert all(row["detail"] for row in answer.json()["pointers"])
    assert not Meeting.objects.exists()


def test_a_fault_of_the_draft_hides_no_other() -> None:
    asked = body(
        start="2020-01-01T10:00", rrule="FREQ=WEEKLY;BYDAY=XX", attendees=[{"email": "pas une adresse"}], place="\x01"
    )
    assert set(faults(post(api(factories.agent()), asked))) == {"start", "rrule", "attendees", "place"}


def test_no_fault_is_made_up_from_another_one() -> None:
    """A series, a duration and a past are not judged by a start that nobody could read."""
    asked = body(start="demain", rrule="FREQ=WEEKLY;COUNT=3", end="2030-01-01T10:00", exdates=[tomorrow()])
    del asked["minutes"]
    assert list(faults(post(api(factories.agent()), asked))) == ["start"]
    whole = body(all_day="peut-être", start="2030-01-01", place="x" * 1000)
    assert set(faults(post(api(factories.agent()), whole))) == {"all_day", "place"}


def test_what_is_missing_is_told_with_the_rest() -> None:
    answer = post(api(factories.agent()), {"attendees": [{}], "visio": "x"})
    assert set(faults(answer)) == {"title", "start", "minutes", "attendees", "visio"}
    assert "#/attendees/0/email" in pointers(answer)


def test_a_change_is_told_all_its_faults() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    put = send(api(agent), "put", url(meeting), {"title": "", "start": "hier", "minutes": 0})
    assert set(faults(put)) == {"title", "start", "minutes", "revision"}
    patch = send(
        api(agent), "patch", url(meeting), {"minutes": "x", "place": "x" * 1000, "attendees": [{"email": "a"}]}
    )
    assert set(faults(patch)) == {"minutes", "place", "attendees"}
    assert Meeting.objects.get().revision == 1


def test_a_change_of_one_date_is_told_all_its_faults() -> None:
    agent = factories.agent()
    meeting = series(agent)
    key = dates(api(agent), meeting)[1]["id"]
    answer = send(
        api(agent),
        "patch",
        url(meeting, f"occurrences/{key}/"),
        {"rrule": "x", "tchap": False, "minutes": 0, "place": 3.5, "title": []},
    )
    assert set(faults(answer)) == {"rrule", "tchap", "minutes", "title"}


def test_a_parameter_of_the_address_is_no_member_of_the_body() -> None:
    answer = post_to(f"{LIST}?notify=x&zzz=1", body())
    assert set(faults(answer)) == {"notify", "zzz"}
    assert sorted((row["parameter"], "pointer" in row) for row in answer.json()["pointers"]) == [
        ("notify", False),
        ("zzz", False),
    ]


def post_to(path: str, data: Any) -> Any:
    return api(factories.agent()).post(path, data, content_type="application/json")


def test_a_search_for_times_is_told_all_its_faults() -> None:
    nobody = str(uuid.uuid4())
    asked = {"minutes": 30, "required": [nobody], "optional": [nobody], "rooms": [nobody]}
    answer = post_to("/api/v1/slots/", asked)
    assert set(faults(answer)) == {"required", "optional", "rooms"}
    bad = {"minutes": 0, "from": "hier", "limit": 1000, "time_zone": "x", "zzz": 1, "required": ["x", nobody]}
    answer = post_to("/api/v1/slots/", bad)
    assert set(faults(answer)) == set(bad)
    assert "#/required/0" in pointers(answer)


def test_a_poll_is_told_all_its_faults() -> None:
    asked = {
        "title": "",
        "dates": ["2020-01-01T10:00", "2020-01-02T10:00"],
        "deadline": "2020-01-01T10:00",
        "minutes": 0,
        "people": [{"email": "pas une adresse"}],
        "zzz": 1,
    }
    assert set(faults(post_to("/api/v1/polls/", asked))) == set(asked)


def test_an_entry_of_a_patch_is_whole() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    bare = send(api(agent), "patch", url(meeting), {"attendees": [{"email": "a@ext.example"}]})
    assert (bare.status_code, [row["role"] for row in bare.json()["attendees"]]) == (200, ["chair", "required"])
    empty = send(api(agent), "patch", url(meeting), {"attendees": [{"name": "Anne"}]})
    assert list(faults(empty)) == ["attendees"]
