"""The administration's search boxes mind no accents, its labels are French, and its pages ask for nothing that is not there."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.staticfiles import finders
from django.db import models
from django.test import Client
from django.utils import timezone, translation

from suite.agents.models import Agent, Organisation, PersonalToken, Team
from suite.mail import outbox
from suite.mail.models import OutboxMail
from tests import factories
from tests.suite.office import address, everything
from tests.visio.polls.asking import poll
from visio.meetings.models import Attendee, Delivery, Meeting, Occurrence
from visio.places.models import Resource, ResourceBooking
from visio.polls.models import Poll, PollParticipant
from visio.reminders.models import Reminder
from visio.rooms.models import Room

pytestmark = pytest.mark.django_db
# Words that French and English share, or that are names.
SHARED = {
    "agent",
    "id",
    "method",
    "occurrence",
    "option",
    "organisation",
    "participant",
    "sequence",
    "siret",
    "site",
    "uid",
}


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(factories.agent(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def helene() -> Agent:
    """With everything that an administrator may look for, all of it written with accents."""
    home = factories.organisation("Préfecture de l’Isère")
    helene = factories.agent("Hélène", "Lefèvre", organisation=home)
    everything(helene)
    factories.team("Équipe Été", organisation=home, managers=[helene])
    place = Resource.objects.create(organisation=home, name="Salle de réunion", site="Évry")
    made = factories.meeting(helene, guests=["x@ext.example"], title="Bilan d’été", resources=(place.pk,))
    poll(helene, ["x@ext.example"], title="Séminaire d’été")
    PollParticipant.objects.update(name="Zoé Été")
    Attendee.objects.filter(agent=None).update(name="Zoé Été")
    Delivery.objects.update(recipient_name="Zoé Été")
    Reminder.objects.create(
        agent=helene,
        occurrence=made.occurrences.get(),
        minutes=10,
        due_at=timezone.now(),
        starts_at=made.occurrences.get().starts_at,
    )
    outbox.owe(
        key="k",
        kind="poll",
        recipient="zoe@ext.example",
        recipient_name="Zoé Été",
        subject="Sujet",
        text="x",
        html="<p>x</p>",
        due_at=timezone.now() + dt.timedelta(days=1),
    )
    return helene


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Agent, "Helene"),
        (Agent, "isere"),
        (Organisation, "prefecture de l’isere"),
        (Team, "equipe ete"),
        (PersonalToken, "helene"),
        (Meeting, "ete"),
        (Meeting, "lefevre"),
        (Attendee, "zoe ete"),
        (Attendee, "bilan d’ete"),
        (Delivery, "ZOE"),
        (Room, "d’ete"),
        (OutboxMail, "zoe ete"),
        (Poll, "seminaire"),
        (Poll, "helene"),
        (PollParticipant, "zoe"),
        (Resource, "reunion evry"),
        (ResourceBooking, "evry"),
        (Reminder, "lefevre"),
        (Occurrence, "bilan d’ete"),
    ],
)
@pytest.mark.parametrize("written", ["without", "with"])
def test_a_search_minds_no_accents(
    office: Client, helene: Agent, model: type[models.Model], text: str, written: str
) -> None:
    accents = {"ete": "été", "helene": "hélène", "isere": "isère", "zoe": "zoé", "lefevre": "lefèvre", "evry": "évry"}
    accents |= {"prefecture": "préfecture", "equipe": "équipe", "seminaire": "séminaire", "reunion": "réunion"}
    asked = text.lower()
    if written == "with":
        asked = " ".join(
            accents.get(word, word) for word in asked.replace("d’ete", "d’été").replace("l’isere", "l’isère").split()
        )
    found = office.get(address(model), {"q": asked}).context["cl"]
    assert found.result_count >= 1
    assert office.get(address(model), {"q": "œœœ"}).context["cl"].result_count == 0


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
def test_every_label_is_in_french(office: Client, model: type[models.Model], rf: object) -> None:
    """A field without words of its own shows its name in the code."""
    page = admin.site._registry[model]
    names = [str(name) for name in page.list_display] + [
        part for field in page.fields or () for part in ([field] if isinstance(field, str) else field)
    ]
    with translation.override("fr"):
        bare = [
            name
            for name in names
            if name not in SHARED and str(label_for_field(name, model, page)).lower() == name.replace("_", " ")
        ]
    assert bare == []


def test_parts_and_languages_have_their_names(office: Client) -> None:
    parts = [str(part["name"]) for part in office.get("/admin/").context["app_list"]]
    assert "Courriels" in parts
    assert "Mail" not in parts
    factories.agent(language="de")
    filters = office.get(address(Agent)).context["cl"].filter_specs
    [language] = [one for one in filters if one.title == "langue"]
    names = [str(choice["display"]) for choice in language.choices(office.get(address(Agent)).context["cl"])]
    assert {"Français", "Allemand"} <= set(names), names


def test_every_page_names_the_sites_icon(office: Client) -> None:
    """Else the browser asks for /favicon.ico, which is nowhere."""
    for path in ("/admin/", address(Agent)):
        found = re.search(r'<link rel="icon" href="/static/([^"]+)"', office.get(path).content.decode())
        assert found is not None
        assert finders.find(found[1])
