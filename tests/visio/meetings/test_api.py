"""The REST API as another tool sees it."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.tokens import MOST_TOKENS, TooManyTokens, issue_token, revoke_token
from tests import factories
from visio.meetings.models import Attendee, Delivery, Meeting

pytestmark = pytest.mark.django_db
LIST = "/api/v1/meetings/"


def api(agent: Agent | None) -> Client:
    """A tool with the agent's personal token; without one, nobody."""
    if agent is None:
        return Client()
    _token, secret = issue_token(agent=agent, name="test", days=1, now=timezone.now())
    return Client(HTTP_AUTHORIZATION=f"Bearer {secret}")


def url(meeting: Meeting, tail: str = "") -> str:
    return f"{LIST}{meeting.public_id}/{tail}"


def tomorrow() -> str:
    return f"{(timezone.localdate() + dt.timedelta(days=1)).isoformat()}T10:30"


def body(**changes: Any) -> dict[str, Any]:
    return {"title": "Recette", "start": tomorrow(), "minutes": 45, "attendees": []} | changes


def post(client: Client, data: Any, **headers: str) -> Any:
    return client.post(LIST, data, content_type="application/json", headers=headers)


def test_create_read_update_cancel() -> None:
    agent, guest = factories.agent(), factories.agent("Léa", "Nguyen")
    tool = api(agent)
    made = post(tool, body(attendees=[{"email": guest.email}, {"email": "x@ext.example", "role": "optional"}]))
    assert made.status_code == 201
    meeting = Meeting.objects.get()
    assert made["Location"] == url(meeting)
    assert made.json()["start"] == tomorrow()
    assert {(row["email"], row["role"]) for row in made.json()["attendees"]} == {
        (agent.email, "chair"),
        (guest.email, "required"),
        ("x@ext.example", "optional"),
    }
    assert tool.get(url(meeting)).json() == made.json()

    edited = tool.put(url(meeting), body(title="Recette 2", revision=1), content_type="application/json")
    assert (edited.status_code, edited.json()["title"], edited.json()["revision"]) == (200, "Recette 2", 2)

    gone = tool.delete(url(meeting))
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert tool.delete(url(meeting)).json() == gone.json()


def test_end_instead_of_minutes() -> None:
    data = body(end=tomorrow().replace("10:30", "12:00"))
    del data["minutes"]
    assert post(api(factories.agent()), data).json()["minutes"] == 90


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "x" * 300}, "title"),
        ({"title": "Un\r\nBcc: x@y.example"}, "title"),
        ({"title": " "}, "title"),
        ({"start": "2020-01-01T10:00"}, "start"),
        ({"start": "2026-13-45T10:00"}, "start"),
        ({"start": "2030-01-01T10:00:00Z"}, "start"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": -5}, "minutes"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"attendees": [{"email": "m.durand@finistere"}]}, "attendees"),
        ({"attendees": [{"email": "pas une adresse"}]}, "attendees"),
        ({"attendees": "x"}, "attendees"),
        ({"privacy": "secret"}, "privacy"),
    ],
)
def test_bad_input_is_refused_at_its_field_and_writes_nothing(changes: dict[str, Any], field: str) -> None:
    answer = post(api(factories.agent()), body(**changes))
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    assert field in answer.json()["errors"]
    assert not Meeting.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("raw", ["{", "[]", '"x"', "null", "\x00"])
def test_a_body_that_is_no_meeting_is_a_problem_document(raw: str) -> None:
    answer = api(factories.agent()).post(LIST, raw, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_problems_speak_the_readers_language() -> None:
    agent = factories.agent()
    words = {
        language: post(api(agent), body(minutes=0), **{"Accept-Language": language}).json()["errors"]["minutes"][0]
        for language in ("fr",)
    }
    assert words["fr"] == "La fin doit venir après le début."


def test_the_organiser_and_a_doubled_guest_are_invited_once() -> None:
    agent = factories.agent()
    guests = [{"email": agent.email.upper()}, {"email": "a@ext.example"}, {"email": "A@Ext.Example"}]
    made = post(api(agent), body(attendees=guests)).json()
    assert sorted(row["email"] for row in made["attendees"]) == sorted([agent.email, "a@ext.example"])


def test_the_same_key_makes_one_meeting_and_gives_one_answer() -> None:
    tool = api(factories.agent())
    first = post(tool, body(), **{"Idempotency-Key": "k-1"})
    again = post(tool, body(), **{"Idempotency-Key": "k-1"})
    assert (again.status_code, again.content) == (201, first.content)
    named = ("Location", "Content-Location", "ETag", "Content-Type")
    assert [again[name] for name in named] == [first[name] for name in named]
    assert again["Location"] == url(Meeting.objects.get())
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Meeting.objects.count() == 1


def test_a_key_is_not_reused_for_another_body_nor_shared_between_agents() -> None:
    tool = api(factories.agent())
    post(tool, body(), **{"Idempotency-Key": "k-1"})
    assert post(tool, body(title="Autre"), **{"Idempotency-Key": "k-1"}).status_code == 422
    assert post(api(factories.agent()), body(), **{"Idempotency-Key": "k-1"}).status_code == 201


def test_a_refused_post_does_not_burn_its_key() -> None:
    tool = api(factories.agent())
    assert post(tool, body(minutes=0), **{"Idempotency-Key": "k-1"}).status_code == 400
    assert post(tool, body(), **{"Idempotency-Key": "k-1"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_posts_at_once_with_one_key_make_one_meeting() -> None:
    tool_headers = {"HTTP_AUTHORIZATION": api(factories.agent()).defaults["HTTP_AUTHORIZATION"]}
    barrier = threading.Barrier(4)
    answers: list[Any] = []

    def send() -> None:
        try:
            barrier.wait(timeout=10)
            answers.append(post(Client(**tool_headers), body(), **{"Idempotency-Key": "race"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Meeting.objects.count() == 1


def test_a_stale_edit_gets_409_with_the_meeting_as_it_is() -> None:
    agent = factories.agent()
    meeting = factories.meeting(agent)
    tool = api(agent)
    assert tool.put(url(meeting), body(title="A", revision=1), content_type="application/json").status_code == 200
    late = tool.put(url(meeting), body(title="B", revision=1), content_type="application/json")
    assert (late.status_code, late.json()["meeting"]["title"]) == (409, "A")
    assert Meeting.objects.get().title == "A"


def test_a_guest_answers_and_the_organiser_reads_it() -> None:
    organiser, guest = factories.agent(), factories.agent()
    meeting = factories.meeting(organiser, guests=[guest])
    answer = api(guest).post(
        url(meeting, "answer/"), {"answer": "declined", "comment": "En congé"}, content_type="application/json"
    )
    assert answer.status_code == 200
    rows = {row["email"]: row for row in api(organiser).get(url(meeting)).json()["attendees"]}
    assert (rows[guest.email]["answer"], rows[guest.email]["comment"]) == ("declined", "En congé")


def test_what_a_guest_writes_is_read_by_the_organiser_and_themselves() -> None:
    organiser, karim, anne = factories.agent(), factories.agent(), factories.agent()
    meeting = factories.meeting(organiser, guests=[karim, anne])
    meeting.attendees.filter(agent=anne).update(comment="Souffrante")
    for reader, read in ((organiser, "Souffrante"), (anne, "Souffrante"), (karim, "")):
        for address in (url(meeting), url(meeting, "occurrences/only/")):
            rows = {row["email"]: row for row in api(reader).get(address).json()["attendees"]}
            assert rows[anne.email]["comment"] == read


def test_an_answer_after_the_cancellation_is_refused() -> None:
    organiser, guest = factories.agent(), factories.agent()
    meeting = factories.meeting(organiser, guests=[guest])
    api(organiser).delete(url(meeting))
    answer = api(guest).post(url(meeting, "answer/"), {"answer": "accepted"}, content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:suite:problem:answer-refused")


CALLS = [("get", ""), ("put", ""), ("delete", ""), ("post", "answer/")]
DATA = {
    "put": lambda: body(revision=1),
    "post": lambda: {"answer": "accepted"},
}


@pytest.mark.parametrize(("method", "tail"), CALLS)
@pytest.mark.parametrize("who", ["nobody", "colleague", "other organisation"])
def test_strangers_cannot_tell_that_a_meeting_exists(method: str, tail: str, who: str) -> None:
    organiser = factories.agent()
    meeting = factories.meeting(organiser, guests=[factories.agent()])
    stranger = {
        "nobody": lambda: None,
        "colleague": lambda: factories.agent(organisation=organiser.organisation),
        "other organisation": factories.agent,
    }[who]()
    call = getattr(api(stranger), method)
    data = {"data": DATA[method](), "content_type": "application/json"} if method in DATA else {}
    answer = call(url(meeting, tail), **data)
    assert answer.status_code == (401 if who == "nobody" else 404)
    meeting.refresh_from_db()
    assert (meeting.revision, meeting.status) == (1, "confirmed")


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_guest_reads_but_does_not_edit(method: str) -> None:
    guest = factories.agent()
    meeting = factories.meeting(guests=[guest])
    tool = api(guest)
    assert tool.get(url(meeting)).json()["can_edit"] is False
    data = {"data": body(revision=1), "content_type": "application/json"} if method == "put" else {}
    answer = getattr(tool, method)(url(meeting), **data)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:suite:problem:not-organiser")


@pytest.mark.parametrize("path", [LIST, "/api/v1/directory/?q=ab", "/api/v1/presence/"])
@pytest.mark.parametrize("header", ["", "Bearer suite_wrong", "Bearer x", "Bearer", "Bearer suite_é"])
def test_without_a_valid_token_nothing_is_read(path: str, header: str) -> None:
    answer = Client(HTTP_AUTHORIZATION=header).get(path) if header else Client().get(path)
    assert answer.status_code == 401
    assert answer.json()["status"] == 401


def test_a_revoked_or_expired_token_opens_nothing() -> None:
    agent = factories.agent()
    now = timezone.now()
    revoked, first = issue_token(agent=agent, name="a", days=1, now=now)
    assert revoke_token(agent=agent, token_id=revoked.pk, now=now)
    _expired, second = issue_token(agent=agent, name="b", days=1, now=now - dt.timedelta(days=2))
    for secret in (first, second):
        assert Client(HTTP_AUTHORIZATION=f"Bearer {secret}").get(LIST).status_code == 401


def test_tokens_are_revoked_by_their_owner_alone_and_bounded() -> None:
    agent, other = factories.agent(), factories.agent()
    now = timezone.now()
    token, _secret = issue_token(agent=agent, name="a", days=1, now=now)
    assert not revoke_token(agent=other, token_id=token.pk, now=now)
    for _number in range(MOST_TOKENS - 1):
        issue_token(agent=agent, name="a", days=1, now=now)
    with pytest.raises(TooManyTokens):
        issue_token(agent=agent, name="a", days=1, now=now)


def test_a_session_writes_only_with_its_csrf_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.agent(), backend="suite.agents.login.ProConnectBackend")
    assert post(browser, body()).status_code == 403
    assert not Meeting.objects.exists()


def test_my_meetings_come_in_order_and_by_page_and_only_mine() -> None:
    agent = factories.agent()
    now = timezone.now()
    mine = [factories.meeting(agent, starts_at=now + dt.timedelta(hours=hours)) for hours in (30, 10, 20)]
    factories.meeting(starts_at=now + dt.timedelta(hours=5))
    rows = api(agent).get(LIST).json()["results"]
    assert [row["id"] for row in rows] == [str(mine[index].public_id) for index in (1, 2, 0)]
    window = api(agent).get(LIST, {"to": (now + dt.timedelta(hours=15)).isoformat()}).json()["results"]
    assert [row["id"] for row in window] == [str(mine[1].public_id)]
    assert api(agent).get(LIST, {"from": "hier"}).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_number_of_queries(count: int, django_assert_num_queries: Any) -> None:
    agent = factories.agent()
    for _number in range(count):
        factories.meeting(agent, guests=[factories.agent(), factories.agent()])
    tool = api(agent)
    tool.get(LIST)
    with django_assert_num_queries(8):
        assert len(tool.get(LIST).json()["results"]) == count


def test_the_directory_finds_people_for_the_form() -> None:
    agent = factories.agent()
    found = factories.agent("Amina", "Diallo")
    rows = api(agent).get("/api/v1/directory/", {"q": "diallo"}).json()["results"]
    assert [(row["id"], row["name"], row["email"]) for row in rows] == [
        (str(found.public_id), "Amina Diallo", found.email)
    ]


def test_presence_is_told_to_colleagues_and_co_attendees_only() -> None:
    agent = factories.agent()
    colleague = factories.agent(organisation=agent.organisation)
    met, stranger = factories.agent(), factories.agent()
    factories.meeting(agent, guests=[met])
    asked = {"agent": [str(person.public_id) for person in (colleague, met, stranger)]}
    rows = api(agent).get("/api/v1/presence/", asked).json()["results"]
    assert {row["agent"] for row in rows} == {str(colleague.public_id), str(met.public_id)}
    assert {row["state"] for row in rows} == {"offline"}


def test_my_presence_can_be_chosen() -> None:
    agent = factories.agent()
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    answer = api(agent).put(
        "/api/v1/presence/", {"state": "do_not_disturb", "until": until}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "do_not_disturb")
    bad = api(agent).put("/api/v1/presence/", {"state": "asleep"}, content_type="application/json")
    assert bad.status_code == 400


@pytest.mark.parametrize("asked", [{"agent": "x"}, {"agent": [str(uuid.uuid4())] * 101}])
def test_presence_asked_badly_is_refused(asked: dict[str, Any]) -> None:
    assert api(factories.agent()).get("/api/v1/presence/", asked).status_code == 400


def test_ten_thousand_attendees_is_the_most() -> None:
    guests = [{"email": f"g{number}@ext.example"} for number in range(10_001)]
    answer = post(api(factories.agent()), body(attendees=guests))
    assert answer.status_code == 400
    assert not Attendee.objects.exists()
