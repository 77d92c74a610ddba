"""The page of a series and of its dates: what is shown, answered, proposed, decided and taken back there."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.time_models import Delegation
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.test_views_series import TUESDAY, date_form, dates, day_of, days, url, weekly
from visio.meetings.exception_models import AttendeeException, CounterProposal
from visio.meetings.models import Delivery, Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(organiser: Agent, guest: Agent) -> Meeting:
    return weekly(organiser, guests=[guest, "anne@b.example"])


def proposal(**changed: str) -> dict[str, str]:
    day = TUESDAY + dt.timedelta(days=15)
    return {
        "day": day.isoformat(),
        "from_hour": "14:00",
        "to_hour": "15:00",
        "comment": "Je suis en commission.",
    } | changed


# --- what is shown ---------------------------------------------------------------------------------------------------
def test_the_series_says_its_rule_and_its_next_dates(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    first, second, third = dates(meeting)[:3]
    client.post(url(meeting, "edit", second), date_form(meeting, second, start="14:00", end="15:00", title="À part"))
    cancel(meeting=meeting, occurrence=third, scope=Scope.ONE, by=organiser, now=timezone.now())
    page = text_of(client.get(url(meeting, "detail")))
    assert "Toutes les semaines, le mardi, 6 fois" in page
    for date in (first, third):
        assert f"{day_of(date)}, 10:00 – 11:00" in page
    assert f"{day_of(second)}, 14:00 – 15:00" in page
    assert "Déplacée" in page
    assert "Annulée" in page
    assert "À part" in page
    assert url(meeting, "detail", second) in page


def test_a_date_has_a_page_of_its_own(meeting: Meeting, guest: Agent) -> None:
    first, second = dates(meeting)[:2]
    page = text_of(client_of(guest).get(url(meeting, "detail", second)))
    assert "Fait partie d’une série." in page
    assert day_of(second) in page
    assert url(meeting, "detail", first) in page  # the date before
    assert f'href="{url(meeting, "detail")}"' in page
    assert client_of(guest).get(url(meeting, "detail") + "?date=zzz").status_code == 404


def test_a_cancelled_date_says_so_and_offers_nothing(meeting: Meeting, organiser: Agent) -> None:
    second = dates(meeting)[1]
    cancel(meeting=meeting, occurrence=second, scope=Scope.ONE, by=organiser, now=timezone.now())
    page = text_of(client_of(organiser).get(url(meeting, "detail", second)))
    assert "Date annulée" in page
    assert url(meeting, "edit", second) not in page
    assert client_of(organiser).get(url(meeting, "cancel", second)).status_code == 302


def test_both_zones_are_said_when_they_differ(organiser: Agent) -> None:
    far = factories.agent("Marie", "Payet", time_zone="Pacific/Noumea", organisation=organiser.organisation)
    meeting = weekly(organiser, guests=[far], start_time=dt.time(16, 0))
    page = text_of(client_of(far).get(url(meeting, "detail")))
    assert "(Nouvelle-Calédonie)" in page
    assert "16:00 – 17:00</span> à Paris" in page
    # There it is another day already.
    assert "mar. " in page


def test_only_the_people_of_a_date_are_in_its_ledger(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    second = dates(meeting)[1]
    client.post(url(meeting, "edit", second), date_form(meeting, second, attendees="samir@b.example"))
    of_date = text_of(client.get(url(meeting, "fragment-ledger", second)))
    assert "samir@b.example" in of_date
    assert "anne@b.example" not in of_date.partition("Personnes retirées")[0]
    assert "anne@b.example" in text_of(client.get(url(meeting, "fragment-ledger", dates(meeting)[0])))


# --- answers ---------------------------------------------------------------------------------------------------------
def test_an_answer_to_one_date_leaves_the_series(meeting: Meeting, guest: Agent) -> None:
    client = client_of(guest)
    second = dates(meeting)[1]
    mine = meeting.attendees.get(agent=guest)
    assert "Répondre pour cette date seulement" in text_of(client.get(url(meeting, "detail", second)))
    key = url(meeting, "detail", second).rpartition("=")[2]
    client.post(url(meeting, "answer"), {"answer": "accepted"})
    answered = client.post(url(meeting, "answer"), {"answer": "declined", "date": key, "only_date": "on"})
    assert answered["Location"] == url(meeting, "detail", second)
    mine.refresh_from_db()
    assert mine.answer == "accepted"
    assert AttendeeException.objects.get(occurrence=second, attendee=mine).answer == "declined"
    page = text_of(client.get(url(meeting, "detail", second)))
    assert "Votre réponse pour cette date" in page
    assert 'value="declined" aria-pressed="true"' in page
    assert 'value="accepted" aria-pressed="true"' in text_of(client.get(url(meeting, "detail")))
    assert client.post(url(meeting, "answer"), {"answer": "declined", "date": "zzz"}).status_code == 404


def test_a_moved_date_is_answered_in_the_list_for_itself_alone(
    meeting: Meeting, organiser: Agent, guest: Agent
) -> None:
    client = client_of(guest)
    client.post(url(meeting, "answer"), {"answer": "accepted"})
    second = dates(meeting)[1]
    client_of(organiser).post(url(meeting, "edit", second), date_form(meeting, second, start="14:00", end="15:00"))
    page = text_of(client.get("/reunions/?onglet=a-traiter"))
    key = url(meeting, "detail", second).rpartition("=")[2]
    assert "Cette date de la série a changé" in page
    assert f'name="date" value="{key}"' in page
    sent = {"answer": "declined", "date": key, "only_date": "1", "from": "list"}
    row = text_of(client.post(url(meeting, "answer"), sent, headers={"HX-Request": "true"}))
    assert "Vous avez décliné." in row
    assert f'name="date" value="{key}"' in row  # taking it back is about that date too
    assert meeting.attendees.get(agent=guest).answer == "accepted"


def test_the_list_marks_a_series_in_words(meeting: Meeting, guest: Agent) -> None:
    page = text_of(client_of(guest).get("/reunions/"))
    assert '<span class="fr-sr-only">Série</span>' in page
    assert url(meeting, "detail", dates(meeting)[0]) in page


# --- another time ----------------------------------------------------------------------------------------------------
def test_an_attendee_proposes_and_the_organiser_takes_it(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    third = dates(meeting)[2]
    client = client_of(guest)
    response = client.post(url(meeting, "propose", third), proposal())
    assert response["Location"] == url(meeting, "detail", third)
    counter = CounterProposal.objects.get()
    assert days(meeting)[2] == "+14 10:00"
    assert "Vous avez proposé" in text_of(client.get(response["Location"]))
    page = text_of(client_of(organiser).get(url(meeting, "detail")))
    assert "Proposé par Karim Benali" in page
    assert "« Je suis en commission. »" in page
    decide = f"/reunions/{meeting.public_id}/autre-horaire/{counter.public_id}/"
    assert decide in page
    assert client.post(decide, {"decision": "accept"}).status_code == 403
    assert client_of(organiser).post(decide, {}).status_code == 302
    assert days(meeting)[2] == "+14 10:00"
    assert client_of(organiser).post(decide, {"decision": "accept"})["Location"] == url(meeting, "detail", third)
    assert days(meeting)[1:4] == ["+7 10:00", "+15 14:00", "+21 10:00"]
    again = client_of(organiser).post(decide, {"decision": "refuse"}, follow=True)
    assert "n’attend plus de décision" in text_of(again)


def test_the_organiser_keeps_the_time(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    client_of(guest).post(url(meeting, "propose", dates(meeting)[2]), proposal())
    counter = CounterProposal.objects.get()
    decide = f"/reunions/{meeting.public_id}/autre-horaire/{counter.public_id}/"
    client_of(organiser).post(decide, {"decision": "refuse"})
    counter.refresh_from_db()
    assert counter.state == "refused"
    assert days(meeting)[2] == "+14 10:00"
    assert Delivery.objects.filter(method="DECLINECOUNTER", recipient=guest.email).count() == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"day": ""}, "Choisissez une date."),
        ({"day": "31/02/2027"}, "Écrivez la date"),
        ({"from_hour": ""}, "l’heure de début et l’heure de fin"),
        ({"to_hour": "13:00"}, "La fin doit venir après le début."),
        ({"day": "2020-01-06"}, "déjà passé"),
        ({"comment": "x" * 501}, "500 au plus"),
    ],
)
def test_a_proposal_without_sense_is_told_and_kept(
    meeting: Meeting, guest: Agent, changed: dict[str, str], said: str
) -> None:
    response = client_of(guest).post(url(meeting, "propose", dates(meeting)[2]), proposal(**changed))
    page = text_of(response)
    assert response.status_code == 422
    assert said in page
    assert f'type="time" value="{changed.get("from_hour", "14:00")}"' in page
    assert not CounterProposal.objects.exists()


def test_nobody_else_proposes_or_decides(meeting: Meeting, organiser: Agent) -> None:
    stranger = factories.agent()
    assert client_of(stranger).post(url(meeting, "propose"), proposal()).status_code == 404
    assert client_of(organiser).post(url(meeting, "propose"), proposal()).status_code == 404
    unknown = f"/reunions/{meeting.public_id}/autre-horaire/{uuid.uuid4()}/"
    assert client_of(organiser).post(unknown, {"decision": "accept"}).status_code == 404


# --- taking back -----------------------------------------------------------------------------------------------------
def test_a_cancelled_date_comes_back_within_ten_seconds(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    third = dates(meeting)[2]
    gone = client.post(url(meeting, "cancel", third), {"scope": "one", "revision": "1"})
    page = text_of(client.get(gone["Location"]))
    assert url(meeting, "undo") in page
    assert "data-undo-until" in page
    assert len(days(meeting)) == 5
    assert "C’est comme avant" in text_of(client.post(url(meeting, "undo"), follow=True))
    assert len(days(meeting)) == 6
    assert "data-undo-until" not in text_of(client.get(url(meeting, "detail", third)))
    assert "Trop tard" in text_of(client.post(url(meeting, "undo"), follow=True))


def undo_button(page: str) -> str:
    """What the button of the offer says, "" without one."""
    offer = page.partition("data-undo-until")[2].partition("</form>")[0]
    return re.sub(r"<[^>]+>", "", offer.partition("<button")[2].partition(">")[2]).strip()


def test_the_offer_says_what_it_takes_back_and_is_never_the_other_cancel(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    third = dates(meeting)[2]
    gone = client.post(url(meeting, "cancel", third), {"scope": "one", "revision": "1"})
    assert undo_button(text_of(client.get(gone["Location"]))) == "Rétablir ce qui vient d’être annulé"
    client.post(url(meeting, "undo"))
    meeting.refresh_from_db()
    third.refresh_from_db()
    sent = date_form(meeting, third, start="16:00", end="17:00")
    moved = text_of(client.post(url(meeting, "edit", third), sent, follow=True))
    assert undo_button(moved) == "Revenir à l’ancien horaire"
    client.post(url(meeting, "undo"))
    meeting.refresh_from_db()
    third.refresh_from_db()
    sent = date_form(meeting, third, scope="following", start="16:00", end="17:00")
    split = text_of(client.post(url(meeting, "edit", third), sent, follow=True))
    assert undo_button(split) == "Revenir en arrière"  # more than hours may have changed
    one = factories.meeting(organiser, guests=["a@b.example"])
    gone_one = text_of(client.post(url(one, "cancel"), {"revision": "1"}, follow=True))
    assert undo_button(gone_one) == "Rétablir ce qui vient d’être annulé"


def test_a_split_series_is_one_again(meeting: Meeting, organiser: Agent) -> None:
    client = client_of(organiser)
    third = dates(meeting)[2]
    sent = date_form(meeting, third, scope="following", start="16:00", end="17:00")
    page = client.post(url(meeting, "edit", third), sent, follow=True)
    rest = Meeting.objects.get(split_from=meeting)
    assert url(rest, "undo") in text_of(page)
    assert client.post(url(rest, "undo"))["Location"] == url(meeting, "detail")
    assert len(days(meeting)) == 6


def test_a_guest_is_offered_nothing_to_take_back(meeting: Meeting, organiser: Agent, guest: Agent) -> None:
    cancel(meeting=meeting, occurrence=dates(meeting)[2], scope=Scope.ONE, by=organiser, now=timezone.now())
    assert "data-undo-until" not in text_of(client_of(guest).get(url(meeting, "detail")))
    assert client_of(guest).post(url(meeting, "undo")).status_code == 403
    assert Client().post(url(meeting, "undo")).status_code == 302


def test_whoever_acts_for_the_organiser_changes_a_date(meeting: Meeting, organiser: Agent) -> None:
    assistant = factories.agent("Léa", organisation=organiser.organisation)
    third = dates(meeting)[2]
    assert client_of(assistant).get(url(meeting, "edit", third)).status_code == 404
    Delegation.objects.create(principal=organiser, delegate=assistant)
    client = client_of(assistant)
    assert "vous agissez de sa part" in text_of(client.get(url(meeting, "detail")))
    client.post(url(meeting, "edit", third), date_form(meeting, third, title="Par Léa"))
    change = meeting.changes.first()
    assert change is not None
    assert (change.by, change.on_behalf_of) == (assistant, organiser)
    guest = meeting.attendees.exclude(role="chair").filter(agent__isnull=False).first()
    assert guest is not None
    for reader, said in (
        (assistant, f"Vous, de la part de {organiser.full_name}"),
        (organiser, f"{assistant.full_name}, de votre part"),
        (guest.agent, f"{assistant.full_name}, de la part de {organiser.full_name}"),
    ):
        assert said in text_of(client_of(reader).get(url(meeting, "fragment-history")))


def test_an_agent_of_one_date_reads_nothing_of_the_others() -> None:
    boss, once = factories.agent(), factories.agent()
    meeting = weekly(boss)
    second, third = dates(meeting)[1:3]
    client_of(boss).post(url(meeting, "edit", second), date_form(meeting, second, title="Mutations"))
    meeting.refresh_from_db()
    client_of(boss).post(url(meeting, "edit", third), date_form(meeting, third, attendees=once.email))
    reader = client_of(once)
    for address in (url(meeting, "detail"), url(meeting, "detail", third), url(meeting, "fragment-dates")):
        answer = reader.get(address)
        assert answer.status_code == 200
        assert "Mutations" not in text_of(answer)
    assert day_of(third) in text_of(reader.get(url(meeting, "detail")))
    for name in ("detail", "ics", "fragment-facts", "fragment-ledger", "fragment-side", "fragment-dates"):
        assert reader.get(url(meeting, name, second)).status_code == 404, name
    file = reader.get(url(meeting, "ics")).content.decode()
    assert (file.count("BEGIN:VEVENT"), "FREQ=WEEKLY" in file) == (1, False)
    # Who organises reads them all.
    assert "Mutations" in text_of(client_of(boss).get(url(meeting, "detail", second)))
