"""Polls over the REST API."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.test_api import api
from tests.visio.polls.asking import MAYBE, NO, YES, answered, keys, poll
from visio.meetings.models import Meeting
from visio.polls.models import Poll, PollVote

pytestmark = pytest.mark.django_db
LIST = "/api/v1/polls/"
ANNE = "anne@partenaire.example"


def day(number: int, hour: str = "10:00") -> str:
    return f"{(timezone.localdate() + dt.timedelta(days=number)).isoformat()}T{hour}"


def body(**changes: Any) -> dict[str, Any]:
    return {"title": "Recette", "dates": [day(7), day(8)], "minutes": 45, "people": [{"email": ANNE}]} | changes


def post(client: Client, path: str, data: Any = None, **headers: str) -> Any:
    return client.post(path, data or {}, content_type="application/json", headers=headers)


def url(of: Poll, tail: str = "") -> str:
    return f"{LIST}{of.public_id}/{tail}"


def test_create_read_vote_choose() -> None:
    boss, lea = factories.agent("Karim"), factories.agent("Léa", "Nguyen")
    tool, hers = api(boss), api(lea)
    asked = body(people=[{"email": lea.email}, {"email": ANNE, "role": "optional"}], deadline=day(3, "18:00"))
    made = post(tool, LIST, asked)
    assert made.status_code == 201, made.content
    of = Poll.objects.get()
    assert made["Location"] == url(of)
    assert [date["id"] for date in made.json()["dates"]] == keys(of)
    assert made.json()["dates"][0]["yes"] == 0
    first, second = keys(of)
    voted = post(hers, url(of, "vote/"), {"votes": {first: NO, second: YES}, "comment": "Mardi"})
    assert voted.status_code == 200, voted.content
    assert [date["best"] for date in voted.json()["dates"]] == [False, True]
    assert voted.json()["people"][1]["email"] is None
    assert tool.get(url(of)).json()["people"][0]["comment"] == "Mardi"
    chosen = post(tool, url(of, "choose/"), {"date": second})
    assert chosen.status_code == 200, chosen.content
    meeting = Meeting.objects.get()
    assert chosen.json()["meeting"] == str(meeting.public_id)
    assert post(tool, url(of, "choose/"), {"date": second}).json()["meeting"] == str(meeting.public_id)
    assert post(tool, url(of, "choose/"), {"date": first}).status_code == 409
    assert post(tool, url(of, "close/")).status_code == 409
    assert post(hers, url(of, "vote/"), {"votes": {first: YES, second: YES}}).status_code == 409
    assert Meeting.objects.count() == 1


def test_an_idempotency_key_does_the_work_once() -> None:
    tool = api(factories.agent())
    key = {"Idempotency-Key": "abc"}
    first, again = post(tool, LIST, body(), **key), post(tool, LIST, body(), **key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert Poll.objects.count() == 1
    assert post(tool, LIST, body(title="Autre"), **key).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dates": [day(7)]}, "dates"),
        ({"dates": [day(7), day(7)]}, "dates"),
        ({"dates": [day(7), day(8) + "Z"]}, "dates"),
        ({"dates": [day(number) for number in range(1, 32)]}, "dates"),
        ({"dates": ["9999-12-31T23:59", "0001-01-01T00:00"]}, "dates"),
        ({"title": "A\r\nB"}, "title"),
        ({"time_zone": "Europe/Pari"}, "time_zone"),
        ({"people": []}, "people"),
        ({"people": [{"email": "m.durand@finistere"}]}, "people"),
        ({"deadline": day(9)}, "deadline"),
        ({"minutes": 10**12}, "minutes"),
    ],
)
def test_refusals_name_the_field(changes: dict[str, Any], field: str) -> None:
    answer = post(api(factories.agent()), LIST, body(**changes))
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["errors"]
    assert not Poll.objects.exists()


@pytest.mark.parametrize("votes", [{}, {"20200101T000000Z": YES}, {"first": "peut-être"}, {"first": YES}])
def test_a_vote_is_for_every_date(votes: dict[str, str]) -> None:
    lea = factories.agent("Léa")
    of = poll(people=[lea])
    named = {keys(of)[0] if key == "first" else key: choice for key, choice in votes.items()}
    answer = post(api(lea), url(of, "vote/"), {"votes": named})
    assert answer.status_code == 400
    assert "votes" in answer.json()["errors"]
    assert not PollVote.objects.exists()


def test_others_see_nothing_and_the_asked_do_not_decide() -> None:
    lea = factories.agent("Léa")
    of = poll(people=[lea, ANNE], shows_votes=False)
    answered(of, ANNE, YES, MAYBE, NO)
    seen = api(lea).get(url(of)).json()
    assert [person["name"] for person in seen["people"]] == [lea.full_name]
    assert {date["yes"] for date in seen["dates"]} == {None}
    for tail, data in (("choose/", {"date": keys(of)[0]}), ("close/", {})):
        assert post(api(lea), url(of, tail), data).status_code == 403
    assert post(api(of.organiser), url(of, "vote/"), {"votes": dict.fromkeys(keys(of), YES)}).status_code == 403
    stranger = api(factories.agent())
    assert stranger.get(url(of)).status_code == 404
    for tail in ("vote/", "choose/", "close/"):
        assert post(stranger, url(of, tail), {}).status_code == 404
    assert Client().get(url(of)).status_code in {401, 403}
    assert Poll.objects.get().status == "open"
    closed = post(api(Agent.objects.get(pk=of.organiser_id)), url(of, "close/"))
    assert closed.json()["status"] == "closed"


def test_the_lists() -> None:
    lea = factories.agent("Léa")
    of = poll(people=[lea])
    [line] = api(lea).get(LIST).json()["results"]
    assert (line["id"], line["waits_for_me"], line["asked"], line["answered"]) == (str(of.public_id), True, 1, 0)
    assert api(lea).get(f"{LIST}?role=organiser").json()["results"] == []
    assert len(api(of.organiser).get(f"{LIST}?role=organiser").json()["results"]) == 1
    assert api(lea).get(f"{LIST}?role=x").status_code == 400
    for _number in range(24):
        poll(of.organiser, [lea])
    seen, page = [], api(lea).get(LIST).json()
    while page:
        seen += [line["id"] for line in page["results"]]
        page = api(lea).get(page["next"]).json() if page["next"] else None
    assert len(seen) == len(set(seen)) == 25
    forged = base64.b64encode(b"p=abc").decode()
    assert api(lea).get(f"{LIST}?cursor={forged}").status_code == 404


@pytest.mark.parametrize("asked", [{"role": "x"}, {"rol": "organiser"}])
def test_a_list_asked_badly_is_refused_at_its_name(asked: dict[str, str]) -> None:
    answer = api(factories.agent()).get("/api/v1/polls/", asked)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(asked))
