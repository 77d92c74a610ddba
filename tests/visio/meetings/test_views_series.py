"""Series and whole days through the pages: planned, shown by date, one date changed, the following cancelled, taken back."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import PARIS, client_of, edit_form, form, text_of
from visio.meetings import words
from visio.meetings.attendance import people_of_date
from visio.meetings.dates import occurrence_key
from visio.meetings.models import Meeting, Occurrence
from visio.places.models import Resource

pytestmark = pytest.mark.django_db

PLAN = "/reunions/planifier/"


def second_tuesday() -> dt.date:
    """Of the month after next: within the horizon, and never the last of its month."""
    first = (timezone.now().date().replace(day=1) + dt.timedelta(days=70)).replace(day=1)
    return first + dt.timedelta(days=(1 - first.weekday()) % 7 + 7)


TUESDAY = second_tuesday()


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def client(agent: Agent) -> Client:
    return client_of(agent)


def weekly(agent: Agent, **changed: Any) -> Meeting:
    fields: dict[str, Any] = {
        "guests": ["anne@b.example", "yann@b.example"],
        "start_date": TUESDAY,
        "start_time": dt.time(10, 0),
        "rule": "FREQ=WEEKLY;BYDAY=TU;COUNT=6",
    }
    return factories.meeting(agent, **(fields | changed))


def dates(meeting: Meeting) -> list[Occurrence]:
    return list(meeting.occurrences.order_by("recurrence_id"))


def days(meeting: Meeting) -> list[str]:
    """ "+7 10:00": days after TUESDAY, and the hour in Paris."""
    starts = [date.starts_at.astimezone(PARIS) for date in dates(meeting) if date.status == "confirmed"]
    return [f"{(start.date() - TUESDAY).days:+d} {start:%H:%M}" for start in starts]


def after(number: int) -> str:
    return (TUESDAY + dt.timedelta(days=number)).isoformat()


def day_of(date: Occurrence) -> str:
    """As a page names it."""
    return words.long_day(date.starts_at.astimezone(PARIS).date(), today=timezone.now().astimezone(PARIS).date())


def url(meeting: Meeting, name: str, date: Occurrence | None = None) -> str:
    address = reverse(f"meetings:{name}", args=[meeting.public_id])
    return f"{address}?date={occurrence_key(date)}" if date else address


def date_form(meeting: Meeting, date: Occurrence, **changed: Any) -> dict[str, Any]:
    """The form that the edit page of one date shows, as it stands."""
    from visio.meetings.forms import filled

    values = filled(meeting, people_of_date(meeting, date), date)
    return {name: value for name, value in values.items() if value is not False} | changed


# --- planning --------------------------------------------------------------------------------------------------------
def test_a_preset_makes_a_series(client: Client) -> None:
    sent = form(date=TUESDAY.isoformat(), repeat="weekly", repeat_for=TUESDAY.isoformat(), repeat_end="count")
    assert client.post(PLAN, sent | {"repeat_count": "4"}).status_code == 302
    meeting = Meeting.objects.get()
    assert meeting.rrule == "FREQ=WEEKLY;BYDAY=TU;COUNT=4"
    assert days(meeting) == ["+0 10:00", "+7 10:00", "+14 10:00", "+21 10:00"]


def test_a_rhythm_of_ones_own(client: Client) -> None:
    sent = form(date=TUESDAY.isoformat(), repeat="custom", repeat_kind="weekly", repeat_interval="2")
    sent |= {"repeat_weekdays": ["1", "3"], "repeat_end": "until", "repeat_until": after(20)}
    assert client.post(PLAN, sent).status_code == 302
    assert days(Meeting.objects.get()) == ["+0 10:00", "+2 10:00", "+14 10:00", "+16 10:00"]


def test_the_last_working_day_begins_on_one_and_the_page_says_so(client: Client) -> None:
    sent = form(date=TUESDAY.isoformat(), repeat="custom", repeat_kind="monthly", repeat_monthly="last_workday")
    ends = [(TUESDAY.replace(day=1) + dt.timedelta(days=31 * ahead)).replace(day=1) for ahead in (1, 2)]
    last = [
        end - dt.timedelta(days=next(back for back in range(1, 4) if (end - dt.timedelta(back)).weekday() < 5))
        for end in ends
    ]
    said = text_of(client.post("/reunions/planifier/recapitulatif/", sent))
    assert f"Première date : {words.full_day(last[0])}" in said
    assert "Tous les mois, le dernier jour ouvré" in said
    client.post(PLAN, sent | {"repeat_end": "count", "repeat_count": "2"})
    assert [date.starts_at.astimezone(PARIS).date() for date in dates(Meeting.objects.get())] == last


def test_whole_days_from_the_form(client: Client) -> None:
    sent = form(date=after(0), last_day=after(2), all_day="on", start="", end="", minutes="")
    assert client.post(PLAN, sent).status_code == 302
    meeting = Meeting.objects.get()
    assert (meeting.is_all_day, meeting.minutes) == (True, 3 * 24 * 60)
    page = text_of(client.get(url(meeting, "detail")))
    assert day_of(dates(meeting)[0]) in page
    assert "journées entières, jusqu’au jeu. " in page


@pytest.mark.parametrize("zone", ["Pacific/Noumea", "America/Cayenne"])
def test_r14_a_whole_day_is_the_same_day_for_a_reader_far_away(agent: Agent, zone: str) -> None:
    far = factories.agent("Marie", "Payet", time_zone=zone, organisation=agent.organisation)
    meeting = factories.meeting(agent, guests=[far], start_date=dt.date(2038, 1, 12), is_all_day=True, minutes=24 * 60)
    for address in (url(meeting, "detail"), "/reunions/"):
        page = text_of(client_of(far).get(address))
        assert "ardi 12 janvier 2038" in page
        assert "13 janvier" not in page
        assert "11 janvier" not in page


BAD = [
    ({"repeat": "weekly", "repeat_end": "until", "repeat_until": ""}, "id_repeat_until"),
    ({"repeat": "weekly", "repeat_end": "until", "repeat_until": after(-1)}, "id_repeat_until"),
    ({"repeat": "weekly", "repeat_end": "until", "repeat_until": "31/02/2038"}, "id_repeat_until"),
    ({"repeat": "weekly", "repeat_end": "count", "repeat_count": ""}, "id_repeat_count"),
    ({"repeat": "weekly", "repeat_end": "count", "repeat_count": "0"}, "id_repeat_count"),
    ({"repeat": "weekly", "repeat_end": "count", "repeat_count": "99999999999"}, "id_repeat_count"),
    ({"repeat": "custom", "repeat_interval": "-1"}, "id_repeat_interval"),
    ({"repeat": "custom", "repeat_interval": "x"}, "id_repeat_interval"),
    ({"repeat": "nope"}, "id_repeat"),
    ({"repeat": "monthly_last_weekday"}, "id_repeat"),  # the second Tuesday is not the last one
    ({"repeat": "weekly", "repeat_for": after(1)}, "id_repeat"),  # the list said "le mercredi"
    ({"all_day": "on", "last_day": after(-1)}, "id_last_day"),
    ({"all_day": "on", "last_day": after(30)}, "id_minutes"),
]


@pytest.mark.parametrize(("changed", "field"), BAD)
def test_a_repetition_without_sense_is_told_at_its_field(client: Client, changed: dict[str, str], field: str) -> None:
    response = client.post(PLAN, form(**({"date": TUESDAY.isoformat()} | changed)))
    page = text_of(response)
    assert response.status_code == 422
    assert f'id="{field}-erreur"' in page
    assert f'id="{field}"' in page
    assert not Meeting.objects.exists()


def test_what_was_said_of_the_repetition_is_kept_when_something_else_is_wrong(client: Client) -> None:
    sent = form(title="", date=TUESDAY.isoformat(), repeat="custom", repeat_kind="weekly", repeat_interval="3")
    page = text_of(
        client.post(PLAN, sent | {"repeat_weekdays": ["0", "4"], "repeat_end": "count", "repeat_count": "7"})
    )
    assert '<option value="custom" selected>' in page
    assert 'name="repeat_interval" type="number" min="1" max="999" inputmode="numeric" value="3"' in page
    assert 'name="repeat_weekdays" value="4" checked' in page
    assert 'name="repeat_weekdays" value="1" checked' not in page
    assert 'name="repeat_end" value="count" checked' in page


def test_the_form_posted_again_with_other_words_shows_what_it_made(client: Client) -> None:
    sent = form(title="Première")
    client.post(PLAN, sent)
    made = Meeting.objects.get()
    response = client.post(PLAN, sent | {"title": "Autre chose"})
    page = text_of(response)
    assert response.status_code == 409
    assert url(made, "detail") in page
    assert url(made, "edit") in page
    assert 'value="Autre chose"' in page
    assert sent["creation_key"] not in page  # sending once more is then a second meeting, as the button says
    assert Meeting.objects.count() == 1


# --- in whose name ---------------------------------------------------------------------------------------------------
def test_planning_for_somebody_who_asked_for_it(client: Client, agent: Agent) -> None:
    from suite.agents.time_models import Delegation

    chief = factories.agent("Hélène", "Da Silva", organisation=agent.organisation)
    assert "Organiser pour" not in text_of(client.get(PLAN))
    assert client.post(PLAN, form(organiser_for=str(chief.public_id))).status_code == 422
    Delegation.objects.create(principal=chief, delegate=agent)
    assert "Organiser pour" in text_of(client.get(PLAN))
    assert client.post(PLAN, form(organiser_for=str(chief.public_id))).status_code == 302
    meeting = Meeting.objects.get()
    assert (meeting.organiser, meeting.scheduled_by) == (chief, agent)


# --- many at once ----------------------------------------------------------------------------------------------------
def test_a_team_and_a_unit_stand_for_their_people(client: Client, agent: Agent) -> None:
    home = agent.organisation
    members = [factories.agent(name, organisation=home) for name in ("Karim", "Sophie")]
    factories.team("Portail", organisation=home, members=[agent, *members])
    factories.agent("Léa", organisation=home, organizational_unit="Bureau de l’été")
    factories.team("Portail d’ailleurs", members=[factories.agent("Ailleurs")])
    found = client.get("/reunions/planifier/annuaire/?q=equipe port").json()["results"]
    assert [(one["name"], one["detail"]) for one in found] == [("Équipe Portail", "3 personnes")]
    group = client.get("/reunions/planifier/groupe/", {"groupe": found[0]["group"]}).json()
    assert {one["name"] for one in group["people"]} == {one.full_name for one in members}
    unit = client.get("/reunions/planifier/annuaire/?q=ete").json()["results"]
    assert [(one["name"], one["detail"]) for one in unit] == [("Bureau de l’été", "1 personne")]
    # Without a script the name is enough.
    client.post(PLAN, form(attendees="Équipe Portail\nBureau de l’été"))
    assert Meeting.objects.get().attendees.count() == 4


def test_groups_of_other_organisations_do_not_open(client: Client) -> None:
    theirs = factories.team("Secrète", members=[factories.agent("Ailleurs", organizational_unit="Ailleurs aussi")])
    for key in (f"equipe:{theirs.public_id}", "service:Ailleurs aussi", "equipe:x", "service:", "", "équipe\x00"):
        assert client.get("/reunions/planifier/groupe/", {"groupe": key}).status_code == 404
    assert client.get("/reunions/planifier/annuaire/?q=secrete").json()["results"] == []


def test_more_than_six_in_a_call_are_asked_about_once(client: Client) -> None:
    sent = form(attendees="\n".join(f"g{number}@b.example" for number in range(7)))
    page = text_of(client.post(PLAN, sent))
    assert "8 personnes en Visio" in page
    assert 'name="warned" value="visio"' in page
    assert not Meeting.objects.exists()
    assert client.post(PLAN, sent | {"warned": "visio"}).status_code == 302


def test_a_room_that_is_too_small_is_asked_about_before_anything_is_sent(client: Client, agent: Agent) -> None:
    room = Resource.objects.create(organisation=agent.organisation, name="Ségur 2.14", capacity=8)
    sent = form(visio=None, resources=[str(room.public_id)])
    sent["attendees"] = "\n".join(f"g{number}@b.example" for number in range(11))
    said = text_of(client.post("/reunions/planifier/recapitulatif/", sent))
    assert "12 personnes dans une salle de 8 (Ségur 2.14)." in said
    response = client.post(PLAN, sent)
    assert response.status_code == 422
    assert "12 personnes dans une salle de 8 (Ségur 2.14)." in text_of(response)
    assert not Meeting.objects.exists()
    assert client.post(PLAN, sent | {"warned": "places"}).status_code == 302
    meeting = Meeting.objects.get()
    assert meeting.bookings.get().resource == room
    assert "Ségur 2.14" in text_of(client.get(url(meeting, "detail")))


@pytest.mark.parametrize("wanted", [["x"], [str(uuid.uuid4())], [str(uuid.uuid4()) for _room in range(500)]])
def test_rooms_that_are_none_are_refused_in_words(client: Client, wanted: list[str]) -> None:
    response = client.post(PLAN, form(resources=wanted))
    assert response.status_code == 422
    assert 'id="id_resources-erreur"' in text_of(response)
    assert not Meeting.objects.exists()


# --- one date, the following, all ------------------------------------------------------------------------------------
def test_the_form_of_one_date_shows_that_date(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    page = text_of(client.get(url(meeting, "edit", dates(meeting)[2])))
    assert f'value="{after(14)}"' in page
    assert f"{day_of(dates(meeting)[2])}, 10:00 – 11:00" in page
    assert 'name="scope" value="one" checked' in page
    assert client.get(url(meeting, "edit") + "?date=20290113T090000Z").status_code == 404
    assert client.get(url(meeting, "edit") + "?date=zzz").status_code == 404


def test_moving_one_date_leaves_the_others(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    response = client.post(url(meeting, "edit", third), date_form(meeting, third, start="14:00", end="15:00"))
    assert response["Location"] == url(meeting, "detail", third)
    assert days(meeting)[1:4] == ["+7 10:00", "+14 14:00", "+21 10:00"]
    page = text_of(client.get(response["Location"]))
    assert "14:00 – 15:00" in page
    assert "Cette date a été déplacée" in page


def test_saving_one_date_without_a_change_does_nothing(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    for scope in ("one", "all"):
        client.post(url(meeting, "edit", third), date_form(meeting, third, scope=scope))
        meeting.refresh_from_db()
        assert meeting.revision == 1, scope


def test_the_following_become_a_series_of_their_own(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    sent = date_form(meeting, third, scope="following", start="16:00", end="17:00")
    client.post(url(meeting, "edit", third), sent)
    rest = Meeting.objects.get(split_from=meeting)
    assert days(meeting) == ["+0 10:00", "+7 10:00"]
    assert days(rest) == ["+14 16:00", "+21 16:00", "+28 16:00", "+35 16:00"]


def test_another_repetition_asks_for_more_than_one_date(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    response = client.post(url(meeting, "edit", third), date_form(meeting, third, repeat="daily"))
    assert response.status_code == 422
    assert 'href="#id_scope"' in text_of(response)
    sent = date_form(meeting, third, repeat="", scope="all")
    assert client.post(url(meeting, "edit", third), sent).status_code == 302
    meeting.refresh_from_db()
    assert not meeting.is_series


def test_a_dates_own_words_and_guests_do_not_spread_to_the_series(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    second = dates(meeting)[1]
    sent = date_form(meeting, second, title="Avec Samir", attendees="anne@b.example\nsamir@b.example")
    client.post(url(meeting, "edit", second), sent)
    meeting.refresh_from_db()
    second = dates(meeting)[1]
    assert (meeting.title, second.title) == ("Comité de suivi", "Avec Samir")
    assert {one.email for one in people_of_date(meeting, second)} == {"anne@b.example", "samir@b.example"}
    client.post(url(meeting, "edit", second), date_form(meeting, second, scope="all", place="Salle Ségur"))
    meeting.refresh_from_db()
    assert (meeting.title, meeting.place) == ("Comité de suivi", "Salle Ségur")
    everybody = meeting.attendees.filter(only_occurrence=None).exclude(role="chair")
    assert {one.email for one in everybody} == {"anne@b.example", "yann@b.example"}
    assert {one.email for one in people_of_date(meeting, dates(meeting)[1])} == {"anne@b.example", "samir@b.example"}


def test_a_rule_that_the_form_cannot_say_is_shown_and_kept(client: Client, agent: Agent) -> None:
    meeting = weekly(agent, rule=f"FREQ=MONTHLY;BYMONTHDAY={TUESDAY.day},{TUESDAY.day + 1};COUNT=8")
    kept = meeting.rrule
    first = dates(meeting)[0]
    page = text_of(client.get(url(meeting, "edit", first)))
    assert f'<option value="kept" selected>Tous les mois, le {TUESDAY.day} et le {TUESDAY.day + 1}' in page
    client.post(url(meeting, "edit", first), date_form(meeting, first, scope="all", title="Autre titre"))
    meeting.refresh_from_db()
    assert (meeting.title, meeting.rrule) == ("Autre titre", kept)


def test_the_slower_editor_of_a_date_keeps_what_was_typed(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    stale = date_form(meeting, third, title="Titre du second")
    client.post(url(meeting, "edit", third), date_form(meeting, third, start="14:00", end="15:00"))
    response = client.post(url(meeting, "edit", third), stale)
    page = text_of(response)
    assert response.status_code == 409
    assert "10:00 devient 14:00" in page
    assert 'value="Titre du second"' in page
    assert 'name="revision" value="2"' in page


def test_nobody_is_told_when_that_is_asked(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    meeting.deliveries.update(state="sent", sent_at=timezone.now())
    before = meeting.deliveries.count()
    client.post(url(meeting, "edit", third), date_form(meeting, third, place="Ici", notify="nobody"))
    assert meeting.deliveries.count() == before
    client.post(url(meeting, "edit", third), date_form(meeting, third, revision=2, place="Là", notify="all"))
    assert meeting.deliveries.count() > before


# --- cancelling ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ("one", ["+0 10:00", "+7 10:00", "+21 10:00", "+28 10:00", "+35 10:00"]),
        ("following", ["+0 10:00", "+7 10:00"]),
        ("all", []),
    ],
)
def test_cancelling_asks_how_much(client: Client, agent: Agent, scope: str, left: list[str]) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    page = text_of(client.get(url(meeting, "cancel", third)))
    assert 'name="scope" value="one" checked' in page
    assert day_of(third) in page
    client.post(url(meeting, "cancel", third), {"scope": scope, "revision": "1"})
    assert days(meeting) == left


def test_cancelling_what_has_changed_meanwhile_asks_again(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    third = dates(meeting)[2]
    client.post(url(meeting, "edit", third), date_form(meeting, third, title="Changée"))
    response = client.post(url(meeting, "cancel", third), {"scope": "all", "revision": "1"})
    assert response.status_code == 409
    assert 'name="scope" value="all" checked' in text_of(response)
    meeting.refresh_from_db()
    assert not meeting.is_cancelled


def test_nonsense_scopes_cancel_nothing(client: Client, agent: Agent) -> None:
    meeting = weekly(agent)
    assert client.post(url(meeting, "cancel"), {"scope": "everything"}).status_code == 422
    assert len(days(meeting)) == 6


def test_a_one_off_asks_nothing_of_the_kind(client: Client, agent: Agent) -> None:
    meeting = factories.meeting(agent, guests=["a@b.example"])
    for name in ("edit", "cancel"):
        assert 'name="scope"' not in text_of(client.get(url(meeting, name)))
    client.post(url(meeting, "edit"), edit_form(meeting, title="Nouveau"))
    meeting.refresh_from_db()
    assert meeting.title == "Nouveau"
    assert timezone.now() < meeting.changed_at + dt.timedelta(minutes=5)
