"""The REST API of series, dates, other times, undo and the agenda."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.delegation import grant
from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.test_api import LIST, api, body, post, url
from visio.meetings.models import Delivery, Meeting
from visio.places.models import Resource

pytestmark = pytest.mark.django_db
WEEKLY = "FREQ=WEEKLY;COUNT=4"


def monday() -> dt.date:
    """A Monday two weeks ahead at least, so that no test runs into today."""
    today = timezone.localdate()
    return today + dt.timedelta(days=21 - today.weekday())


def series(organiser: Agent, *guests: Agent, **changes: Any) -> Meeting:
    asked = {"start": f"{monday()}T10:30", "rrule": WEEKLY, "attendees": [{"email": one.email} for one in guests]}
    made = post(api(organiser), body(**(asked | changes)))
    assert made.status_code == 201, made.json()
    return Meeting.objects.get(public_id=made.json()["id"])


def dates(tool: Client, meeting: Meeting, **window: str) -> list[dict[str, Any]]:
    answer = tool.get(url(meeting, "occurrences/"), window)
    assert answer.status_code == 200, answer.json()
    return list(answer.json()["results"])


def send(tool: Client, method: str, path: str, data: Any = None, **headers: str) -> Any:
    return getattr(tool, method)(path, data, content_type="application/json", headers=headers)


def test_a_series_is_created_and_read_with_its_next_date() -> None:
    agent = factories.agent()
    tool = api(agent)
    last = f"{monday() + dt.timedelta(days=21)}T10:30"
    asked = body(start=f"{monday()}T10:30", rrule=WEEKLY, exdates=[last], rdates=[f"{monday()}T16:00"])
    made = post(tool, asked).json()
    assert (made["is_series"], made["rrule"], made["exdates"]) == (True, WEEKLY, [last])
    assert made["occurrence"]["start"] == made["start"] == f"{monday()}T10:30"
    rows = dates(tool, Meeting.objects.get())
    week = dt.timedelta(days=7)
    wanted = [f"{monday()}T10:30", f"{monday()}T16:00", f"{monday() + week}T10:30", f"{monday() + 2 * week}T10:30"]
    assert [row["start"] for row in rows] == wanted
    assert [row["start"] for row in dates(tool, Meeting.objects.get(), to=rows[1]["starts_at"])] == wanted[:1]


def test_dates_come_by_page() -> None:
    agent = factories.agent()
    meeting = series(agent, rrule="FREQ=DAILY;COUNT=60")
    first = api(agent).get(url(meeting, "occurrences/")).json()
    rest = api(agent).get(first["next"]).json()
    assert (len(first["results"]), len(rest["results"]), rest["next"]) == (50, 10, None)


def test_a_whole_day_is_dates_in_and_out() -> None:
    agent = factories.agent()
    tool = api(agent)
    asked = {"title": "Séminaire", "all_day": True, "start": f"{monday()}", "end": f"{monday() + dt.timedelta(days=1)}"}
    made = post(tool, asked).json()
    assert (made["start"], made["minutes"], made["all_day"]) == (f"{monday()}", 2880, True)
    window = {"from": f"{monday()}T00:00:00+01:00", "to": f"{monday() + dt.timedelta(days=1)}T00:00:00+01:00"}
    [entry] = tool.get("/api/v1/agenda/", window | {"time_zone": "Pacific/Noumea"}).json()["results"]
    assert (entry["start"], entry["end"]) == (f"{monday()}", f"{monday() + dt.timedelta(days=1)}")


def test_one_date_moves_alone_and_the_series_stays() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    tool = api(agent)
    second = dates(tool, meeting)[1]
    path = url(meeting, f"occurrences/{second['id']}/")
    moved = send(tool, "patch", path, {"start": second["start"].replace("10:30", "15:00"), "title": "Point court"})
    assert moved.status_code == 200, moved.json()
    assert (moved.json()["title"], moved.json()["minutes"], moved.json()["overridden"]) == ("Point court", 45, True)
    assert [row["start"][-5:] for row in dates(tool, meeting)] == ["10:30", "15:00", "10:30", "10:30"]
    assert tool.get(url(meeting)).json()["title"] == "Recette"


def test_one_date_has_no_rule_of_its_own() -> None:
    agent = factories.agent()
    meeting = series(agent)
    path = url(meeting, f"occurrences/{dates(api(agent), meeting)[1]['id']}/")
    answer = send(api(agent), "patch", path, {"rrule": "FREQ=DAILY"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["rrule"])


def test_this_and_the_following_become_a_series_of_their_own() -> None:
    agent = factories.agent()
    meeting = series(agent, factories.agent())
    tool = api(agent)
    third = dates(tool, meeting)[2]
    path = url(meeting, f"occurrences/{third['id']}/?scope=following")
    answer = send(tool, "patch", path, {"start": third["start"].replace("10:30", "15:00")})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["split_from"] == str(meeting.public_id) != answer.json()["id"]
    assert answer["Content-Location"] == f"{LIST}{answer.json()['id']}/"
    assert len(dates(tool, meeting)) == 2
    rest = Meeting.objects.get(public_id=answer.json()["id"])
    assert [row["start"][-5:] for row in dates(tool, rest)] == ["15:00", "15:00"]


def test_all_of_a_series_is_patched_without_losing_anybody_or_moving() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    tool = api(agent)
    before = dates(tool, meeting)
    answer = send(tool, "patch", url(meeting), {"title": "Autre titre"})
    assert (answer.status_code, answer.json()["title"], answer.json()["revision"]) == (200, "Autre titre", 2)
    assert {row["email"] for row in answer.json()["attendees"]} == {agent.email, guest.email}
    assert [row["starts_at"] for row in dates(tool, meeting)] == [row["starts_at"] for row in before]


def test_a_date_is_cancelled_and_taken_back() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    tool = api(agent)
    second = dates(tool, meeting)[1]
    gone = tool.delete(url(meeting, f"occurrences/{second['id']}/"))
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert tool.get(url(meeting)).json()["undo_until"] is not None
    back = send(tool, "post", url(meeting, "undo/"))
    assert (back.status_code, back.json()["undo_until"]) == (200, None)
    assert [row["status"] for row in dates(tool, meeting)] == ["confirmed"] * 4
    late = send(tool, "post", url(meeting, "undo/"))
    assert (late.status_code, late.json()["type"]) == (409, "urn:suite:problem:undo-refused")


def test_the_following_are_cancelled() -> None:
    agent = factories.agent()
    meeting = series(agent)
    third = dates(api(agent), meeting)[2]
    answer = api(agent).delete(url(meeting, f"occurrences/{third['id']}/?scope=following"))
    assert (answer.status_code, answer.json()["id"]) == (200, str(meeting.public_id))
    assert len(dates(api(agent), meeting)) == 2


@pytest.mark.parametrize(("notify", "mails"), [("default", 1), ("nobody", 0)])
def test_who_is_told_is_the_organisers_choice(notify: str, mails: int) -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    Delivery.objects.all().delete()
    answer = send(api(agent), "patch", url(meeting, f"?notify={notify}"), {"title": "Nouveau titre"})
    assert answer.status_code == 200, answer.json()
    assert Delivery.objects.count() == mails


def test_a_guest_answers_one_date() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    tool = api(guest)
    second = dates(tool, meeting)[1]
    answer = send(tool, "post", url(meeting, f"occurrences/{second['id']}/answer/"), {"answer": "declined"})
    assert (answer.status_code, answer.json()["answer"]) == (200, "declined")
    assert [row["answer"] for row in dates(tool, meeting)][:3] == ["needs_action", "declined", "needs_action"]


def test_another_time_is_proposed_seen_and_taken() -> None:
    agent, guest, other = factories.agent(), factories.agent(), factories.agent()
    meeting = series(agent, guest, other)
    second = dates(api(guest), meeting)[1]
    later = (dt.datetime.fromisoformat(second["starts_at"]) + dt.timedelta(hours=2)).isoformat()
    end = (dt.datetime.fromisoformat(second["ends_at"]) + dt.timedelta(hours=2)).isoformat()
    asked = {"occurrence": second["id"], "starts_at": later, "ends_at": end, "comment": "Plus tard ?"}
    made = send(api(guest), "post", url(meeting, "counters/"), asked)
    assert (made.status_code, made.json()["state"], made.json()["occurrence"]) == (201, "pending", second["id"])
    [listed] = api(agent).get(url(meeting, "counters/?state=pending")).json()["results"]
    assert (listed["id"], listed["comment"]) == (made.json()["id"], "Plus tard ?")
    assert api(other).get(url(meeting, "counters/")).json()["results"] == []
    path = url(meeting, f"counters/{listed['id']}/")
    assert send(api(other), "post", f"{path}accept/").status_code == 404
    assert send(api(guest), "post", f"{path}accept/").status_code == 403
    taken = send(api(agent), "post", f"{path}accept/")
    assert taken.status_code == 200, taken.json()
    assert dates(api(agent), meeting)[1]["starts_at"] == later.replace("+00:00", "Z")
    again = send(api(agent), "post", f"{path}refuse/", {"words": "Trop tard"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:suite:problem:counter-refused")


def test_another_time_is_refused_with_a_word() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = factories.meeting(agent, guests=[guest])
    at = timezone.now() + dt.timedelta(days=3)
    asked = {"starts_at": at.isoformat(), "ends_at": (at + dt.timedelta(hours=1)).isoformat()}
    made = send(api(guest), "post", url(meeting, "counters/"), asked).json()
    answer = send(api(agent), "post", url(meeting, f"counters/{made['id']}/refuse/"), {"words": "Salle prise"})
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    backwards = asked | {"ends_at": (at - dt.timedelta(hours=1)).isoformat()}
    wrong = send(api(guest), "post", url(meeting, "counters/"), backwards)
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["ends_at"])


def test_a_delegate_plans_in_a_principals_name_and_nobody_else_does() -> None:
    home = factories.organisation()
    principal, delegate, colleague = (factories.agent(organisation=home) for _number in range(3))
    grant(principal=principal, delegate=delegate)
    asked = body(on_behalf_of=str(principal.public_id))
    made = post(api(delegate), asked)
    assert made.status_code == 201, made.json()
    assert made.json()["organiser"]["id"] == str(principal.public_id)
    assert made.json()["scheduled_by"]["id"] == str(delegate.public_id)
    meeting = Meeting.objects.get()
    assert send(api(delegate), "patch", url(meeting), {"title": "Vu"}).status_code == 200
    refused = post(api(colleague), asked)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:suite:problem:not-delegate")
    assert api(colleague).get(url(meeting)).status_code == 404


def test_a_room_is_booked_kept_and_refused_when_taken() -> None:
    agent = factories.agent()
    room = Resource.objects.create(organisation=agent.organisation, name="Fontenoy 1.03")
    meeting = series(agent, resources=[str(room.public_id)])
    read = api(agent).get(url(meeting)).json()
    assert read["resources"] == [str(room.public_id)]
    assert send(api(agent), "patch", url(meeting), {"title": "Autre"}).json()["resources"] == [str(room.public_id)]
    taken = post(api(agent), body(start=f"{monday()}T10:45", resources=[str(room.public_id)]))
    assert (taken.status_code, list(taken.json()["errors"])) == (400, ["resources"])
    stranger = post(api(factories.agent()), body(resources=[str(room.public_id)]))
    assert (stranger.status_code, list(stranger.json()["errors"])) == (400, ["resources"])


def test_what_was_read_of_a_series_can_be_written_back() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest, exdates=[f"{monday() + dt.timedelta(days=7)}T10:30"])
    read = api(agent).get(url(meeting)).json()
    read["attendees"] = [one for one in read["attendees"] if one["role"] != "chair"]
    same = send(api(agent), "put", url(meeting), read)
    assert (same.status_code, same.json()["revision"]) == (200, 1), same.json()
    assert len(dates(api(agent), meeting)) == 3


# --- agenda -----------------------------------------------------------------------------------------------------
def week() -> dict[str, str]:
    return {"from": f"{monday()}T00:00:00Z", "to": f"{monday() + dt.timedelta(days=7)}T00:00:00Z"}


def test_the_agenda_holds_my_dates_and_only_mine() -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest)
    series(factories.agent())
    [entry] = api(guest).get("/api/v1/agenda/", week()).json()["results"]
    assert (entry["meeting"], entry["start"], entry["answer"], entry["role"]) == (
        str(meeting.public_id),
        f"{monday()}T10:30",
        "needs_action",
        "required",
    )
    assert api(guest).get(url(meeting, f"occurrences/{entry['occurrence']}/")).status_code == 200
    noumea = api(guest).get("/api/v1/agenda/", week() | {"time_zone": "Pacific/Noumea"}).json()["results"]
    assert noumea[0]["starts_at"] == entry["starts_at"]
    assert noumea[0]["start"] != entry["start"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_agenda_is_one_statement_and_the_token(count: int, django_assert_num_queries: Any) -> None:
    agent = factories.agent()
    for _number in range(count):
        series(agent, factories.agent())
    tool = api(agent)
    tool.get("/api/v1/agenda/", week())
    with django_assert_num_queries(2):
        assert len(tool.get("/api/v1/agenda/", week()).json()["results"]) == count


@pytest.mark.parametrize("count", [1, 3])
def test_dates_cost_the_same_however_many(count: int, django_assert_num_queries: Any) -> None:
    agent, guest = factories.agent(), factories.agent()
    meeting = series(agent, guest, rrule=f"FREQ=WEEKLY;COUNT={count + 1}")
    tool = api(guest)
    tool.get(LIST)
    with django_assert_num_queries(7):
        assert len(dates(tool, meeting)) == count + 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": ""}, "from"),
        ({"from": "hier"}, "from"),
        ({"from": "2026-11-26T10:00"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "2000-01-01T00:00:00Z"}, "to"),
        ({"to": f"{monday() + dt.timedelta(days=101)}T00:00:00Z"}, "to"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "\x00"}, "time_zone"),
        ({"agent": "x"}, "agent"),
    ],
)
def test_a_window_asked_badly_is_refused_at_its_name(changes: dict[str, str], field: str) -> None:
    answer = api(factories.agent()).get("/api/v1/agenda/", week() | changes)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
