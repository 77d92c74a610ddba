"""The pages of import and agenda: one's own, bounded, and said in words."""

from __future__ import annotations

import datetime as dt
import html
import re
import uuid
import zoneinfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from suite.portal.housekeeping import purge
from tests import factories
from tests.visio.exchange.files import calendar, event, timed
from visio.exchange.agenda_views import MOST_DAYS
from visio.exchange.importing import KEPT
from visio.exchange.models import CalendarImport
from visio.exchange.parsing import MOST_BYTES
from visio.meetings.models import Delivery, Meeting

pytestmark = pytest.mark.django_db
UPLOAD = "/reunions/importer/"
AGENDA = "/reunions/agenda/"
PARIS = zoneinfo.ZoneInfo("Europe/Paris")


@pytest.fixture
def agent(client: Client) -> Agent:
    made = factories.agent("Claire", "Morel", email="claire.morel@dinum.example")
    client.force_login(made, backend="suite.agents.login.ProConnectBackend")
    return made


def give(client: Client, content: bytes, *, kind: str = "application/octet-stream") -> str:
    """The address of the preview."""
    response = client.post(UPLOAD, {"file": SimpleUploadedFile("agenda.ics", content, kind)})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def text(page: bytes) -> str:
    bare = re.sub(r"<[^>]+>", " ", page.decode().split("<main")[1].split("</main>")[0])
    return " ".join(html.unescape(bare).split())


def test_a_file_is_previewed_line_by_line_then_confirmed(client: Client, agent: Agent) -> None:
    content = calendar(
        timed(summary="Comité <b>"),
        event("DTSTART:20270101T100000Z", "RRULE:FREQ=SECONDLY", uid="b@x", summary="Bombe"),
        timed("STATUS:CANCELLED", uid="c@x", summary="Abandonnée"),
        timed("ORGANIZER;CN=Jean Petit:mailto:jean@autre.example", uid="d@x", summary="Ailleurs"),
    )
    where = give(client, content, kind="image/png")
    said = text(client.get(where).content)
    assert "INVALID-TEMPLATE-VARIABLE" not in said
    for words in (
        "2 réunions à créer",
        "2 laissées de côté",
        "Comité <b>",
        "mar. 12 jan. 2027, 10:00 – 11:00",
        "Une réunion ne peut pas se répéter plusieurs fois par jour (SECONDLY).",
        "Il est annulé.",
        "Dans votre agenda seulement",
        "ligne 4 du fichier",
        "Aucun courriel ne part",
    ):
        assert words in said, words
    # Nothing is done yet.
    assert "À créer" in said
    assert "Créée" not in said
    assert not Meeting.objects.exists(), "a preview creates nothing"
    done = client.post(where, follow=True)
    assert done.redirect_chain == [("/reunions/", 302)]
    assert "Import : 2 réunions créées." in text(done.content)
    assert set(Meeting.objects.values_list("title", flat=True)) == {"Comité <b>", "Ailleurs"}
    again = client.get(give(client, content))
    assert "2 inchangées" in text(again.content)
    assert "Rien à importer" in text(again.content)


def test_invitations_only_with_the_box(client: Client, agent: Agent) -> None:
    guests = ("ORGANIZER:mailto:claire.morel@dinum.example", "ATTENDEE:mailto:anne@ext.example")
    where = give(client, calendar(timed(*guests)))
    assert 'name="invite"' in client.get(where).content.decode()
    client.post(where)
    assert not Delivery.objects.exists()
    where = give(client, calendar(timed(*guests, uid="b@x")))
    client.post(where, {"invite": "1"})
    assert Delivery.objects.get().recipient == "anne@ext.example"
    alone = client.get(give(client, calendar(timed(uid="c@x"))))
    assert 'name="invite"' not in alone.content.decode(), "nobody to invite"


def test_ten_megabytes_are_refused_in_words(client: Client, agent: Agent) -> None:
    for size in (MOST_BYTES + 1, 10 * MOST_BYTES):
        response = client.post(UPLOAD, {"file": SimpleUploadedFile("agenda.ics", b"x" * size)})
        assert response.status_code == 413
        assert "dépasse 1 Mo" in text(response.content)
    assert not CalendarImport.objects.exists()


def test_one_megabyte_is_taken(client: Client, agent: Agent) -> None:
    filler = "X-VIDE:" + "x" * 1000
    content = calendar(timed(*[filler] * 1030))
    assert MOST_BYTES - 20_000 < len(content) <= MOST_BYTES
    give(client, content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Ce fichier est vide."),
        (b"bonjour", "n’est pas un calendrier"),
        (b"\x89PNG\r\n", "n’est pas un calendrier"),
        (calendar(), "aucun événement"),
    ],
)
def test_what_is_no_calendar_says_so(client: Client, agent: Agent, content: bytes, words: str) -> None:
    response = client.post(UPLOAD, {"file": SimpleUploadedFile("a.ics", content)})
    assert response.status_code == 422
    assert words in text(response.content)


def test_no_file_says_so(client: Client, agent: Agent) -> None:
    response = client.post(UPLOAD, {})
    assert response.status_code == 422
    assert "Choisissez un fichier" in text(response.content)


def test_a_forged_upload_is_refused(agent: Agent) -> None:
    forger = Client(enforce_csrf_checks=True)
    forger.force_login(agent, backend="suite.agents.login.ProConnectBackend")
    response = forger.post(UPLOAD, {"file": SimpleUploadedFile("a.ics", calendar(timed()))})
    assert response.status_code == 403
    assert not CalendarImport.objects.exists()
    form = forger.get(UPLOAD).content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.split('class="xc-upload"')[1])[0]
    sent = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("a.ics", calendar(timed()))}
    assert forger.post(UPLOAD, sent).status_code == 302


def test_anothers_file_does_not_exist_and_one_goes_after_a_day(client: Client, agent: Agent) -> None:
    where = give(client, calendar(timed()))
    other = Client()
    other.force_login(factories.agent(organisation=agent.organisation), backend="suite.agents.login.ProConnectBackend")
    for method in ("get", "post"):
        assert getattr(other, method)(where).status_code == 404
        assert getattr(client, method)(f"{UPLOAD}{uuid.uuid4()}/").status_code == 404
    assert not Meeting.objects.exists()
    CalendarImport.objects.update(created_at=timezone.now() - KEPT)
    assert client.get(where).status_code == 404
    assert purge(now=timezone.now(), seconds=10)
    assert not CalendarImport.objects.exists()


def test_a_new_file_takes_the_place_of_the_last(client: Client, agent: Agent) -> None:
    give(client, calendar(timed()))
    give(client, calendar(timed()))
    assert CalendarImport.objects.count() == 1


# --- Agenda -------------------------------------------------------------------------------------------------------


def at(day: int, hour: int) -> dt.datetime:
    return dt.datetime(2027, 1, day, hour, tzinfo=PARIS)


def test_a_week_on_paper(client: Client, agent: Agent) -> None:
    boss = factories.agent("Jean", "Petit")
    mine = factories.meeting(agent, title="Comité <i>", place="Salle 3", starts_at=at(12, 10))
    factories.meeting(boss, guests=[agent], title="Invitée", starts_at=at(13, 9))
    factories.meeting(boss, title="Des autres", starts_at=at(13, 9))
    factories.meeting(agent, title="Plus tard", starts_at=at(20, 9))
    factories.meeting(agent, title="Nuit", starts_at=at(14, 23), minutes=120)
    factories.meeting(agent, title="Séminaire", starts_at=at(15, 0), is_all_day=True, minutes=2 * 1440)
    response = client.get(AGENDA, {"du": "2027-01-11", "au": "2027-01-17"})
    said = text(response.content)
    assert "INVALID-TEMPLATE-VARIABLE" not in said
    assert mine.room is not None
    for words in (
        "Claire Morel",
        "Du lundi 11 janvier 2027 au dimanche 17 janvier 2027",
        "Mardi 12 janvier 2027 10:00 – 11:00 Comité <i> Organisée par Claire Morel · Salle 3",
        f"http://localhost:8000/visio/{mine.room.slug}/".split("//")[1].split("/", 1)[1],
        "Invitée (sans réponse) Organisée par Jean Petit",
        "Vendredi 15 janvier 2027 Toute la journée Séminaire",
        "suite, jusqu’à 01:00 Nuit",
        "Samedi 16 janvier 2027 Toute la journée Séminaire",
        "Heures à Paris (UTC+1)",
    ):
        assert words in said, (words, said)
    assert "Des autres" not in said
    assert "Plus tard" not in said
    assert "Dimanche 17" not in said, "days without a meeting take no paper"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"du": "x"},
        {"du": "2027-02-31"},
        {"du": "0001-01-01"},
        {"du": "9999-12-31"},
        {"au": "2020-01-01"},
        {"du": "2027-02-01", "au": "2027-01-01"},
    ],
)
def test_whatever_is_asked_shows_some_days(client: Client, agent: Agent, asked: dict[str, str]) -> None:
    response = client.get(AGENDA, asked)
    assert response.status_code == 200
    assert "Aucune réunion pendant cette période." in text(response.content)


def test_a_year_is_cut_and_said(client: Client, agent: Agent) -> None:
    factories.meeting(agent, title="Bien plus tard", starts_at=at(1, 9) + dt.timedelta(days=MOST_DAYS))
    said = text(client.get(AGENDA, {"du": "2027-01-01", "au": "2027-12-31"}).content)
    assert f"{MOST_DAYS} jours au plus" in said
    assert "Bien plus tard" not in said


def test_one_date_of_a_series_as_a_file(client: Client, agent: Agent) -> None:
    meeting = factories.meeting(agent, rule="FREQ=WEEKLY;COUNT=3", starts_at=at(12, 10))
    address = f"/reunions/{meeting.public_id}/reunion.ics"
    whole = client.get(address).content
    assert b"RRULE:FREQ=WEEKLY" in whole
    one = client.get(address, {"date": "20270119T090000Z"}).content
    assert b"RRULE:FREQ=WEEKLY" not in one
    assert b"RECURRENCE-ID;TZID=Europe/Paris:20270119T100000" in one
    assert client.get(address, {"date": "20270120T090000Z"}).status_code == 404
