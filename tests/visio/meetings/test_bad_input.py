"""Bad input by the form and by the API: a clear message at its field, nothing written, nothing sent."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import pytest
from django.test import Client

from suite.agents.models import Agent
from suite.mail.models import OutboxMail
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.pages import client_of, form, text_of
from tests.visio.meetings.reading import send_all
from tests.visio.meetings.test_api import LIST, api, url
from tests.visio.meetings.test_views_series import TUESDAY, date_form, dates, weekly
from tests.visio.meetings.test_views_series import url as page_url
from visio.meetings.dates import occurrence_key
from visio.meetings.models import Attendee, Delivery, Meeting, MeetingChange, Occurrence
from visio.places.models import Resource, ResourceBooking

pytestmark = pytest.mark.django_db
PLAN = "/reunions/planifier/"
WEEK = dt.timedelta(days=7)
# Processor seconds for one request, with room for a busy machine.
PATIENT = 3


@pytest.fixture
def boss() -> Agent:
    return factories.agent("Claire", "Morel", email="Claire.Morel@dinum.example")


def written() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Meeting, Occurrence, Attendee, Delivery, MeetingChange, ResourceBooking, OutboxMail)
    ]


def body(**changed: Any) -> dict[str, Any]:
    asked = {"title": "Comité", "start": f"{TUESDAY}T10:00", "minutes": 60, "attendees": [{"email": "a@b.example"}]}
    return {name: value for name, value in (asked | changed).items() if value is not None}


def right(**changed: Any) -> dict[str, Any]:
    return form(**({"date": TUESDAY.isoformat(), "attendees": "a@b.example"} | changed))


CUSTOM = {"repeat": "custom", "repeat_kind": "weekly", "repeat_interval": "1"}
ROOMS = [str(uuid.uuid4()) for _number in range(500)]
INJECTED = "Comité\r\nBcc: tous@ministere.example"
FORM = {
    "500 resources": ({"resources": ROOMS}, "resources"),
    "rule that is text": ({"repeat": "FREQ=SECONDLY"}, "repeat"),
    "rule with a huge interval": (CUSTOM | {"repeat_interval": "9" * 30}, "repeat_interval"),
    "rule with a huge count": (CUSTOM | {"repeat_end": "count", "repeat_count": "9" * 30}, "repeat_count"),
    "rule of another kind": (CUSTOM | {"repeat_kind": "secondly"}, "repeat_kind"),
    "rule that ended": (CUSTOM | {"repeat_end": "until", "repeat_until": "2000-01-01"}, "repeat_until"),
    "rule on an eighth day": (CUSTOM | {"repeat_weekdays": ["1", "7"]}, "repeat_weekdays"),
    "end before start": ({"end": "09:00", "minutes": "60"}, "end"),
    "last day before first": ({"all_day": "on", "last_day": (TUESDAY - WEEK).isoformat()}, "last_day"),
    "a date that does not exist": ({"date": "2027-02-30"}, "date"),
    "a year that does not exist": ({"date": "9999-12-31", "end": "", "minutes": "20000"}, "date"),
    "unknown zone": ({"time_zone": "Europe/Atlantis"}, "time_zone"),
    "zone that is a path": ({"time_zone": "../../etc/passwd"}, "time_zone"),
    "zone that is a file": ({"time_zone": "posixrules"}, "time_zone"),
    "header in the title": ({"title": INJECTED}, "title"),
    "header in the place": ({"place": INJECTED}, "place"),
    "next line in the title": ({"title": "Comité\x85Bcc: x@y.example"}, "title"),
    "line separator in the title": ({"title": "Comité\u2028Bcc: x@y.example"}, "title"),
    "header in the title of a series": ({"title": INJECTED, "repeat": "weekly"}, "title"),
    "header as a guest": ({"attendees": 'Nom <a@b.example>\r\nBcc: "x" <x@@y>'}, "attendees"),
    "guest that is no address": ({"attendees": "a@b.example\na@b@c.example"}, "attendees"),
}
API: dict[str, tuple[dict[str, Any], str]] = {
    "500 resources": ({"resources": ROOMS}, "resources"),
    "secondly": ({"rrule": "FREQ=SECONDLY"}, "rrule"),
    "hourly": ({"rrule": "FREQ=HOURLY;COUNT=3"}, "rrule"),
    "by the second": ({"rrule": "FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1;BYSECOND=0,1"}, "rrule"),
    "huge count": ({"rrule": "FREQ=DAILY;COUNT=" + "9" * 30}, "rrule"),
    "huge interval": ({"rrule": "FREQ=YEARLY;INTERVAL=" + "9" * 30}, "rrule"),
    "over before it begins": ({"rrule": "FREQ=DAILY;UNTIL=20000101T000000Z"}, "rrule"),
    "count and until": ({"rrule": "FREQ=DAILY;COUNT=3;UNTIL=20380101T000000Z"}, "rrule"),
    "two rules": ({"rrule": "FREQ=DAILY\r\nRRULE:FREQ=DAILY"}, "rrule"),
    "rule that is no rule": ({"rrule": "tous les jours"}, "rrule"),
    "rule of two thousand parts": ({"rrule": "FREQ=YEARLY;BYYEARDAY=" + ",".join(["1"] * 5000)}, "rrule"),
    "a thousand and one dates": ({"rdates": [f"{TUESDAY}T11:00"] * 1001}, "rdates"),
    "end before start": ({"minutes": None, "end": f"{TUESDAY}T09:00"}, "minutes"),
    "last day before first": (
        {"minutes": None, "all_day": True, "start": f"{TUESDAY}", "end": f"{TUESDAY - WEEK}"},
        "minutes",
    ),
    "a date that does not exist": ({"start": "2027-02-30T10:00"}, "start"),
    "a year that does not exist": ({"start": "9999-12-31T23:00", "minutes": 20000}, "start"),
    "unknown zone": ({"time_zone": "Europe/Atlantis"}, "time_zone"),
    "zone that is a path": ({"time_zone": "../../etc/passwd"}, "time_zone"),
    "zone that is a file": ({"time_zone": "posixrules"}, "time_zone"),
    "header in the title": ({"title": INJECTED}, "title"),
    "header in the place": ({"place": INJECTED}, "place"),
    "next line in the title": ({"title": "Comité\x85Bcc: x@y.example"}, "title"),
    "line separator in the title": ({"title": "Comité\u2028Bcc: x@y.example"}, "title"),
    "header in the title of a series": ({"title": INJECTED, "rrule": "FREQ=WEEKLY"}, "title"),
    "header as a guest": ({"attendees": [{"email": "a@b.example\r\nBcc: x@y.example"}]}, "attendees"),
    "guest that is no address": ({"attendees": [{"email": "a@b.example"}, {"email": "a@b@c.example"}]}, "attendees"),
}


@pytest.mark.parametrize("case", FORM)
def test_the_form_refuses_at_its_field(boss: Agent, mailbox: Mailbox, case: str) -> None:
    changed, field = FORM[case]
    client, began = client_of(boss), time.process_time()
    answer = client.post(PLAN, right(**changed))
    assert time.process_time() - began < PATIENT
    assert answer.status_code == 422
    assert field in answer.context["form"].errors, answer.context["form"].errors
    assert all(str(message).strip() for message in answer.context["form"].errors[field])
    assert "Comité" in text_of(answer), "what was typed is kept"
    nothing(mailbox)


@pytest.mark.parametrize("case", API)
def test_the_api_refuses_at_its_member(boss: Agent, mailbox: Mailbox, case: str) -> None:
    changed, member = API[case]
    tool, began = api(boss), time.process_time()
    answer = tool.post(LIST, body(**changed), content_type="application/json")
    assert time.process_time() - began < PATIENT
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    assert member in answer.json()["errors"], answer.json()
    nothing(mailbox)


def nothing(mailbox: Mailbox) -> None:
    assert written() == [[]] * 7
    send_all(dt.datetime.now(dt.UTC) + WEEK)
    assert mailbox.count() == 0


# Of one date of a series that is there already.
DATE_FORM = {name: FORM[name] for name in FORM if "rule" not in name and "day" not in name and "series" not in name}
DATE_API = {
    name: API[name]
    for name in API
    if API[name][1] in {"title", "place", "start", "minutes", "resources", "attendees"}
    and "all_day" not in API[name][0]
    and "series" not in name
}


@pytest.fixture
def series(boss: Agent) -> Meeting:
    made = weekly(boss)
    Delivery.objects.update(state="sent", sent_at=made.created_at)
    return made


@pytest.mark.parametrize("case", DATE_FORM)
def test_the_form_of_one_date_refuses(boss: Agent, series: Meeting, mailbox: Mailbox, case: str) -> None:
    changed, field = DATE_FORM[case]
    third, before = dates(series)[2], written()
    answer = client_of(boss).post(page_url(series, "edit", third), date_form(series, third) | changed)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    unchanged(before, mailbox)


@pytest.mark.parametrize("case", DATE_API)
def test_the_api_of_one_date_refuses(boss: Agent, series: Meeting, mailbox: Mailbox, case: str) -> None:
    changed, member = DATE_API[case]
    changed = {name: value for name, value in changed.items() if value is not None}
    before = written()
    path = url(series, f"occurrences/{occurrence_key(dates(series)[2])}/")
    answer = api(boss).patch(path, changed, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert member in answer.json()["errors"], answer.json()
    unchanged(before, mailbox)


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=WEEKLY;BYHOUR=1,2,3", "FREQ=DAILY;COUNT=" + "9" * 30])
@pytest.mark.parametrize("scope", ["following", "all"])
def test_another_rule_for_a_series_is_refused_too(
    boss: Agent, series: Meeting, mailbox: Mailbox, scope: str, rule: str
) -> None:
    before = written()
    path = url(series, f"occurrences/{occurrence_key(dates(series)[2])}/?scope={scope}")
    answer = api(boss).patch(path, {"rrule": rule}, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["rrule"])
    unchanged(before, mailbox)


def unchanged(before: list[Any], mailbox: Mailbox) -> None:
    assert written() == before
    send_all(dt.datetime.now(dt.UTC) + WEEK)
    assert mailbox.count() == 0


# --- the same person under several spellings --------------------------------------------------------------------------
TWICE = [
    ("a@b.example", "A@B.Example"),
    ("a@exämple.fr", "a@xn--exmple-cua.fr"),
    ("a@EXÄMPLE.fr", "Nom <a@exämple.fr>"),
    ("a@b.example", '"Nom, Prénom" <a@b.example>'),
    ("  a@b.example ", "<A@b.example>"),
]


@pytest.mark.parametrize("spellings", TWICE)
def test_a_guest_under_two_spellings_is_one_by_the_form(
    boss: Agent, mailbox: Mailbox, spellings: tuple[str, str]
) -> None:
    answer = client_of(boss).post(PLAN, right(attendees="\n".join(spellings)), follow=True)
    assert Attendee.objects.exclude(role="chair").count() == 1
    assert "une seule invitation" in text_of(answer)
    send_all(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert mailbox.count() == 1


@pytest.mark.parametrize("spellings", [one for one in TWICE if not any("<" in text for text in one)])
def test_a_guest_under_two_spellings_is_one_by_the_api(
    boss: Agent, mailbox: Mailbox, spellings: tuple[str, str]
) -> None:
    asked = body(attendees=[{"email": one, "name": "Nom"} for one in spellings])
    answer = api(boss).post(LIST, asked, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert "une seule invitation" in " ".join(answer.json()["notices"])
    assert Attendee.objects.exclude(role="chair").count() == 1
    send_all(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert mailbox.count() == 1


def test_a_colleague_by_name_and_by_address_is_one(boss: Agent) -> None:
    karim = factories.agent("Karim", "Benali", organisation=boss.organisation)
    spelled = f"Karim Benali\n{karim.email.upper()}\nLe chef <{karim.email}>"
    assert client_of(boss).post(PLAN, right(attendees=spelled, optional=karim.email)).status_code == 302
    assert [one.agent for one in Attendee.objects.exclude(role="chair")] == [karim]


@pytest.mark.parametrize("spelling", ["claire.morel@dinum.example", "CLAIRE.MOREL@DINUM.EXAMPLE", "Moi <{}>"])
def test_organisers_who_invite_themselves_get_no_invitation(boss: Agent, mailbox: Mailbox, spelling: str) -> None:
    mine = spelling.format(boss.email)
    client: Client = client_of(boss)
    answer = client.post(PLAN, right(attendees=mine, repeat="weekly"), follow=True)
    assert "inutile de vous inviter vous-même" in text_of(answer)
    if "<" not in mine:
        told = api(boss).post(LIST, body(attendees=[{"email": mine}]), content_type="application/json")
        assert "inutile de vous inviter vous-même" in " ".join(told.json()["notices"])
    assert set(Attendee.objects.values_list("role", flat=True)) == {"chair"}
    assert not Delivery.objects.exists()
    send_all(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert mailbox.count() == 0


def test_500_rooms_that_exist_are_refused_all_the_same(boss: Agent, mailbox: Mailbox) -> None:
    rooms = [Resource(organisation=boss.organisation, name=f"Salle {n}", site="Ségur") for n in range(500)]
    ids = [str(one.public_id) for one in Resource.objects.bulk_create(rooms)]
    answer = client_of(boss).post(PLAN, right(resources=ids))
    assert answer.status_code == 422
    assert "500" in " ".join(answer.context["form"].errors["resources"])
    told = api(boss).post(LIST, body(resources=ids), content_type="application/json")
    assert (told.status_code, list(told.json()["errors"])) == (400, ["resources"])
    nothing(mailbox)
