"""The administration: who gets in, what each list shows and costs."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from suite.agents.models import Agent, Organisation, PersonalToken, Team
from suite.core.administration import EstimatedPaginator
from tchap_bridge.models import InboundEvent, TchapMember, TchapMessage, TchapRoom
from tests import factories
from tests.suite.office import act, address, everything
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence
from visio.rooms.models import Room

pytestmark = pytest.mark.django_db

OURS = [
    Organisation,
    Team,
    Agent,
    PersonalToken,
    Meeting,
    Occurrence,
    Attendee,
    Delivery,
    Room,
    TchapRoom,
    TchapMember,
    TchapMessage,
    InboundEvent,
]
LEDGERS = [model for model in OURS if model not in (Organisation, Team, Agent)]
model_list = pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)


# --- who gets in --------------------------------------------------------------------------------------------------
def pages() -> list[str]:
    return [reverse("admin:index"), *(address(model) for model in OURS)]


def test_nobody_is_sent_to_the_sign_in_page_and_back_here_after_it(client: Client) -> None:
    for page in pages():
        response = client.get(page, follow=True)
        assert response.redirect_chain[-1] == (f"/connexion/?next={page}", 302)
    assert "password" not in response.content.decode()


def test_an_agent_who_is_no_administrator_gets_403(client: Client) -> None:
    client.force_login(factories.agent())

    for page in pages():
        assert client.get(page, follow=True).status_code == 403


def test_an_administrator_who_comes_through_the_login_address_goes_on(office: Client) -> None:
    login = reverse("admin:login")

    assert office.get(login)["Location"] == "/admin/"
    assert office.get(login, {"next": "/admin/visio/meeting/"})["Location"] == "/admin/visio/meeting/"
    assert office.get(login, {"next": "https://ailleurs.example/"})["Location"] == "/admin/"


def test_there_is_no_password_form(office: Client) -> None:
    assert office.get("/admin/password_change/").status_code == 404
    assert office.get("/admin/password_change/done/").status_code == 404


def test_signing_out_goes_through_the_identity_provider(office: Client) -> None:
    response = office.post("/admin/logout/")

    assert (response.status_code, response["Location"]) == (307, reverse("oidc_logout"))


def test_staff_without_permissions_see_no_model(client: Client) -> None:
    client.force_login(factories.agent(is_staff=True))

    assert client.get(reverse("admin:index")).context["app_list"] == []
    for model in OURS:
        assert client.get(address(model)).status_code == 403


def test_staff_who_may_look_may_not_act(client: Client, meeting: Meeting) -> None:
    reader = factories.agent(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)

    page = client.get(address(Delivery))

    assert page.status_code == 200
    assert "send_again" not in page.content.decode()
    before = set(Delivery.objects.values_list("pk", "resends"))
    delivery = Delivery.objects.filter(meeting=meeting).first()
    assert delivery is not None
    act(client, "send_again", delivery)
    assert set(Delivery.objects.values_list("pk", "resends")) == before


# --- lists and pages ----------------------------------------------------------------------------------------------
def test_every_model_that_people_work_with_is_there() -> None:
    assert set(OURS) <= set(admin.site._registry)
    assert str(admin.site.site_header) == "Portail de la Suite – administration"


@model_list
def test_list_search_and_page(office: Client, meeting: Meeting, model: type[models.Model]) -> None:
    page = office.get(address(model))
    found = office.get(address(model), {"q": "comité"})
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    one = office.get(address(model, "change", row.pk))

    assert (page.status_code, found.status_code, one.status_code) == (200, 200, 200)
    assert page.context["cl"].result_count >= 1


@model_list
def test_a_list_costs_the_same_for_one_row_and_for_three(
    office: Client, administrator: Agent, model: type[models.Model]
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert office.get(address(model)).status_code == 200
        return len(queries)

    everything(administrator)
    office.get(address(model))
    one = cost()
    everything(administrator)
    everything(administrator)

    assert cost() == one


@pytest.mark.parametrize("model", LEDGERS, ids=lambda model: model.__name__)
def test_ledgers_are_not_edited_by_hand(office: Client, meeting: Meeting, model: type[models.Model]) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None

    assert office.get(address(model, "add")).status_code == 403
    assert office.post(address(model, "change", row.pk), {}).status_code == 403
    assert office.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Agent, "helene da"),
        (Agent, "Hélène"),
        (Agent, "DA SILVA"),
        (Meeting, "suivi"),
        (Attendee, "ailleurs"),
        (Delivery, "guest@ailleurs"),
        (Room, "Comité"),
        (TchapRoom, "Comité"),
        (TchapMember, "@h:tchap"),
        (PersonalToken, "Grist"),
        (InboundEvent, "event-"),
    ],
)
def test_search_finds(office: Client, meeting: Meeting, model: type[models.Model], text: str) -> None:
    factories.agent("Autre", "Personne")

    assert office.get(address(model), {"q": text}).context["cl"].result_count == 1


def test_search_finds_a_meeting_by_its_organiser_without_accents(office: Client) -> None:
    made = factories.meeting(factories.agent("Élodie", "Pérez"), title="Sans rapport")
    factories.meeting(title="Autre")

    assert list(office.get(address(Meeting), {"q": "perez"}).context["cl"].queryset) == [made]


def test_agents_come_from_the_identity_provider(office: Client, administrator: Agent) -> None:
    agent = factories.agent("Karim", "Benali", is_active=True)

    assert office.get(address(Agent, "add")).status_code == 403
    assert office.post(address(Agent, "delete", agent.pk), {"post": "yes"}).status_code == 403
    office.post(
        address(Agent, "change", agent.pk),
        {"job_title": "Adjoint", "language": "de", "time_zone": "Europe/Paris", "theme": "dark", "email": "x@y.fr"},
    )
    agent.refresh_from_db()
    assert (agent.job_title, agent.language, agent.theme, agent.email == "x@y.fr") == ("Adjoint", "de", "dark", False)


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Europe/Atlantide"), ("language", "xx"), ("matrix_id", "claire"), ("theme", "x")]
)
def test_an_agent_keeps_to_what_exists(office: Client, field: str, value: str) -> None:
    agent = factories.agent()
    right = {"language": "fr", "time_zone": "Europe/Paris", "theme": "dark", "matrix_id": "@c-d.example:tchap.example"}
    page = address(Agent, "change", agent.pk)

    refused = office.post(page, {**right, field: value})

    assert refused.status_code == 200
    assert list(refused.context["adminform"].form.errors) == [field]
    assert office.post(page, right).status_code == 302


@pytest.mark.parametrize(
    ("siret", "kept"),
    [("130 025 265 00013", "13002526500013"), ("1300252650001", None), ("1300252650001A", None), ("", None)],
)
def test_an_organisation_is_opened_by_its_siret(office: Client, siret: str, kept: str | None) -> None:
    office.post(address(Organisation, "add"), {"name": "DINUM", "siret": siret, "domain": "DINUM.example "})

    opened = Organisation.objects.filter(name="DINUM").values_list("siret", "domain").first()
    assert opened == ((kept, "dinum.example") if kept else None)


def test_only_a_superuser_makes_administrators(client: Client) -> None:
    helper = factories.agent(is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_agent", "change_agent"]))
    client.force_login(helper)

    client.post(
        address(Agent, "change", helper.pk),
        {"language": "fr", "time_zone": "Europe/Paris", "theme": "dark", "is_staff": "on", "is_superuser": "on"},
    )

    helper.refresh_from_db()
    assert (helper.theme, helper.is_superuser) == ("dark", False)


def test_links_lead_from_a_meeting_to_what_hangs_on_it(office: Client, meeting: Meeting) -> None:
    page = office.get(address(Meeting, "change", meeting.pk)).content.decode()

    assert address(TchapRoom, "change", meeting.tchap_room.pk) in page
    for model, number in ((Attendee, 3), (Delivery, 2), (Occurrence, 1)):
        where = f"{address(model)}?meeting__id__exact={meeting.pk}"
        assert where in page
        assert office.get(where).context["cl"].result_count == number


def test_a_large_list_is_counted_by_estimate() -> None:
    class Small(EstimatedPaginator):
        exact_up_to = 100

    Organisation.objects.bulk_create(
        Organisation(name=f"Commune {number}", siret=f"{number:014d}") for number in range(500)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE agents_organisation")
    everyone = Organisation.objects.order_by("pk")

    with CaptureQueriesContext(connection) as queries:
        estimated = Small(everyone, 50).count

    assert 400 <= estimated <= 600
    assert "EXPLAIN" in queries[-1]["sql"]
    assert EstimatedPaginator(everyone, 50).count == Organisation.objects.count()
    assert Small(everyone.filter(siret__endswith="7"), 50).count == 50, "few rows are counted"
    assert EstimatedPaginator([1, 2, 3], 2).count == 3
