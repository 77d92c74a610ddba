"""The page of working hours and absences: one's own and nobody else's."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.hours import USUAL, Stretch, own_stretches, set_hours
from suite.agents.models import Agent
from suite.agents.time_models import Leave
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/reglages/horaires/"
TODAY = timezone.now().date()


@pytest.fixture
def agent(client: Client) -> Agent:
    made = factories.agent(time_zone="Indian/Reunion")
    client.force_login(made, backend="suite.agents.login.ProConnectBackend")
    return made


def week(**changed: str) -> dict[str, str]:
    """The usual week as the page posts it; `d0_0_from="10:00"` changes a field."""
    fields = {}
    for day in range(5):
        for index, (starts, ends) in enumerate((("09:00", "12:30"), ("13:30", "18:00"))):
            fields |= {f"d{day}-{index}-from": starts, f"d{day}-{index}-to": ends}
    return {**fields, **{name.replace("_", "-"): value for name, value in changed.items()}}


def leave(**changed: str) -> dict[str, str]:
    first = TODAY + dt.timedelta(days=30)
    fields = {
        "first": first.isoformat(),
        "last": (first + dt.timedelta(days=4)).isoformat(),
        "first_time": "",
        "last_time": "",
        "kind": "leave",
        "note": "",
        **changed,
    }
    return {f"leave-{name}": value for name, value in fields.items()}


def shown(client: Client, response: Any = None) -> str:
    text = html.unescape((response or client.get(PAGE)).content.decode())
    assert "INVALID-TEMPLATE-VARIABLE" not in text
    return text


def values(text: str) -> dict[str, str]:
    """{field: what it shows} of the week."""
    return dict(re.findall(r'name="(d\d-\d-\w+)" type="time" value="([^"]*)"', text))


# --- hours ------------------------------------------------------------------------------------------------------
def test_the_usual_week_is_shown_until_another_is_set(client: Client, agent: Agent) -> None:
    found = values(shown(client))
    assert found == {**week(), **{f"d{day}-0-{end}": "" for day in (5, 6) for end in ("from", "to")}}
    assert "Heures de La Réunion (UTC+4)" in shown(client)


def test_a_week_is_saved_and_shown_again(client: Client, agent: Agent) -> None:
    sent = week(d2_0_from="", d2_0_to="", d2_1_from="", d2_1_to="", d5_0_from="10:00", d5_0_to="12:00")
    response = client.post(PAGE, sent)
    assert response["Location"] == PAGE
    days = [0, 1, 3, 4]
    assert own_stretches([agent])[agent.pk] == (
        *(one for one in USUAL if one.weekday in days),
        Stretch(5, dt.time(10), dt.time(12)),
    )
    text = shown(client)
    assert "Vos horaires sont enregistrés." in text
    assert values(text)["d5-0-from"] == "10:00"
    assert values(text)["d2-0-from"] == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"d0_0_from": "12:30", "d0_0_to": "09:00"}, "La fin (09:00) doit venir après le début (12:30)."),
        ({"d0_0_to": "14:00"}, "Deux plages de ce jour se chevauchent."),
        ({"d0_0_to": ""}, "Donnez un début et une fin"),
        ({"d0_0_to": "25:99"}, "Donnez un début et une fin"),
    ],
)
def test_a_wrong_week_saves_nothing_and_keeps_what_was_typed(
    client: Client, agent: Agent, changed: dict[str, str], words: str
) -> None:
    response = client.post(PAGE, week(d1_0_from="08:00", **changed))
    assert response.status_code == 422
    text = shown(client, response)
    assert text.count("fr-error-text") == 1
    assert words in text
    assert 'aria-describedby="horaires-aide erreur-jour-0"' in text
    assert values(text)["d1-0-from"] == "08:00"
    assert own_stretches([agent]) == {}


def test_an_empty_week_is_asked_about(client: Client, agent: Agent) -> None:
    response = client.post(PAGE, dict.fromkeys(week(), ""))
    assert response.status_code == 422
    assert "Donnez au moins une plage" in shown(client, response)


def test_a_line_more_and_mondays_copies_save_nothing_yet(client: Client, agent: Agent) -> None:
    more = shown(client, client.post(PAGE, {**week(d0_0_from="08:00"), "do": "add-0"}))
    assert values(more)["d0-2-from"] == ""
    assert re.search(r'name="d0-2-from"[^>]*autofocus', more)
    copied = values(shown(client, client.post(PAGE, {**week(d0_0_from="08:00"), "do": "copy"})))
    assert [copied[f"d{day}-0-from"] for day in range(6)] == ["08:00"] * 5 + [""]
    assert own_stretches([agent]) == {}
    full = {
        f"d0-{index}-{end}": f"{8 + 2 * index + (end == 'to'):02d}:00" for index in range(4) for end in ("from", "to")
    }
    assert 'value="add-0"' not in shown(client, client.post(PAGE, {**full, "do": "add-1"}))


def test_the_usual_hours_come_back(client: Client, agent: Agent) -> None:
    set_hours(agent=agent, stretches=USUAL[:1])
    client.post(PAGE, {**week(), "do": "reset"})
    assert own_stretches([agent]) == {}


# --- absences ---------------------------------------------------------------------------------------------------
def test_an_absence_of_whole_days_in_the_agents_zone(client: Client, agent: Agent) -> None:
    first = TODAY + dt.timedelta(days=30)
    assert client.post("/reglages/absences/", leave(note="Saint-Denis"))["Location"] == f"{PAGE}#absences"
    made = Leave.objects.get()
    assert made.starts_at == dt.datetime.combine(first, dt.time(), dt.UTC) - dt.timedelta(hours=4)
    assert made.ends_at - made.starts_at == dt.timedelta(days=5)
    assert (made.agent, made.is_all_day, made.kind) == (agent, True, "leave")
    text = shown(client)
    assert "Absence ajoutée :" in text
    assert "Saint-Denis" in text
    assert "Congé" in text


def test_an_absence_of_a_few_hours(client: Client, agent: Agent) -> None:
    client.post("/reglages/absences/", leave(last="", first_time="14:00", last_time="16:30", kind="out_of_office"))
    made = Leave.objects.get()
    assert (made.ends_at - made.starts_at, made.is_all_day) == (dt.timedelta(hours=2, minutes=30), False)
    assert "14:00 – 16:30" in shown(client)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"first": ""}, "first"),
        ({"first": "2026-02-30"}, "first"),
        ({"first": "9999-12-31"}, "first"),
        ({"last": "9999-12-31"}, "last"),
        ({"last": "2001-01-01"}, "last"),
        ({"last": "", "first_time": "16:00", "last_time": "14:00"}, "last"),
        ({"first_time": "25:00"}, "first_time"),
        ({"kind": "x"}, "kind"),
        ({"note": "x" * 201}, "note"),
        ({"first": (TODAY + dt.timedelta(days=3000)).isoformat(), "last": ""}, "first"),
    ],
)
def test_a_wrong_absence_is_refused_at_its_field(
    client: Client, agent: Agent, changed: dict[str, str], field: str
) -> None:
    response = client.post("/reglages/absences/", leave(**changed))
    assert response.status_code == 422
    text = shown(client, response)
    assert text.count('class="fr-error-text"') == 1
    assert re.search(rf'id="id_leave-{field}"[^>]*aria-invalid="true"', text)
    assert not Leave.objects.exists()


def test_an_absence_is_removed_and_brought_back(client: Client, agent: Agent) -> None:
    client.post("/reglages/absences/", leave(note="Noël"))
    made = Leave.objects.get()
    assert client.post(f"/reglages/absences/{made.pk}/retirer/")["Location"] == f"{PAGE}#absences"
    assert not Leave.objects.exists()
    text = shown(client)
    assert "Absence retirée." in text
    memory = text.split('name="memory" value="')[1].split('"')[0]
    assert "Absence retirée." not in shown(client), "said once"
    assert client.post("/reglages/absences/remettre/", {"memory": memory})["Location"] == f"{PAGE}#absences"
    back = Leave.objects.get()
    assert (back.starts_at, back.ends_at, back.note) == (made.starts_at, made.ends_at, "Noël")
    assert "Absence remise" in shown(client)
    client.post("/reglages/absences/remettre/", {"memory": "x"})
    assert "ne peut plus être remise" in shown(client)


def test_anothers_absences_are_neither_seen_nor_removed(client: Client, agent: Agent) -> None:
    other = factories.agent(organisation=agent.organisation)
    now = timezone.now()
    made = Leave.objects.create(agent=other, starts_at=now, ends_at=now + dt.timedelta(days=1), note="Secret")
    assert client.post(f"/reglages/absences/{made.pk}/retirer/").status_code == 404
    assert Leave.objects.count() == 1
    assert "Secret" not in shown(client)


def test_what_is_over_is_no_longer_listed(client: Client, agent: Agent) -> None:
    now = timezone.now()
    Leave.objects.create(agent=agent, starts_at=now - dt.timedelta(days=2), ends_at=now - dt.timedelta(days=1))
    assert "Aucune absence à venir." in shown(client)
    Leave.objects.create(agent=agent, starts_at=now - dt.timedelta(days=2), ends_at=now + dt.timedelta(days=1))
    assert "en cours" in shown(client)


@pytest.mark.parametrize(
    "path", [PAGE, "/reglages/absences/", "/reglages/absences/1/retirer/", "/reglages/absences/remettre/"]
)
def test_nobody_is_sent_to_sign_in(path: str) -> None:
    assert Client().post(path)["Location"].startswith("/connexion/")


def test_the_settings_lead_here(client: Client, agent: Agent) -> None:
    assert f'href="{PAGE}"' in client.get("/reglages/").content.decode()
