"""The pages of polls: what they say, to whom, and what they cost."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of
from tests.visio.polls.asking import ANNE, BOB, MAYBE, NO, YES, answered, keys, person, poll
from tests.visio.polls.reading import at, guest_path, html, marked
from visio.meetings.models import Meeting
from visio.polls.closing import close_poll
from visio.polls.models import Poll, PollVote

pytestmark = pytest.mark.django_db


def day(number: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=number)).isoformat()


def form(**changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "title": "Comité de suivi",
        "date": [day(7), day(8), ""],
        "start": ["10:00", "14:00", ""],
        "minutes": "60",
        "time_zone": "Europe/Paris",
        "people": f"Anne <{ANNE}>, {BOB}",
        "optional": "",
        "deadline_date": day(3),
        "deadline_time": "",
        "place": "",
        "description": "",
        "shows_votes": "on",
        "visio": "on",
        "creation_key": str(uuid.uuid4()),
    }
    fields.update(changed)
    return {name: value for name, value in fields.items() if value is not None}


# --- the form ---------------------------------------------------------------------------------------------------
def test_a_form_makes_one_poll_however_often_it_is_sent(boss: Agent) -> None:
    client, fields = client_of(boss), form()
    for _time in range(2):
        assert client.post("/sondages/nouveau/", fields).status_code == 302
    made = Poll.objects.get()
    assert (made.minutes, made.shows_votes, made.wants_room, made.wants_tchap) == (60, True, True, False)
    assert made.deadline is not None
    assert made.deadline.astimezone(boss_zone()).strftime("%H:%M") == "18:00"
    assert [option.starts_at.astimezone(boss_zone()).strftime("%Y-%m-%d %H:%M") for option in made.options.all()] == [
        f"{day(7)} 10:00",
        f"{day(8)} 14:00",
    ]
    assert list(made.participants.values_list("email", "name")) == [(ANNE, "Anne"), (BOB, "")]
    assert "Sondage envoyé à 2 personnes." in html(client.get(at("detail", made)))


def boss_zone() -> Any:
    return timezone.get_default_timezone()


def test_people_are_named_as_when_a_meeting_is_planned(boss: Agent) -> None:
    """A name of the directory, a team, addresses in one piece; what names nobody is said one by one, the others stay."""
    lea = factories.agent("Léa", "Nguyen", organisation=boss.organisation)
    sofia = factories.agent("Sofia", "Marchal", organisation=boss.organisation)
    factories.team("Recette", organisation=boss.organisation, members=[sofia, boss])
    client = client_of(boss)
    typed = {"people": f"Léa Nguyen\nzut@\n{ANNE}; {BOB}, personne d’ici", "optional": "Équipe Recette"}
    page = html(client.post("/sondages/nouveau/", form(**typed)), 422)
    shown = json.loads(
        page.split('<script id="participants-donnees" type="application/json">')[1].split("</script>")[0]
    )
    people = {one["text"]: one["role"] for one in shown if "error" not in one}
    assert people == {
        f"Léa Nguyen <{lea.email}>": "required",
        ANNE: "required",
        BOB: "required",
        f"Sofia Marchal <{sofia.email}>": "optional",
    }
    wrong = [one["error"] for one in shown if "error" in one]
    assert [words.split("»")[0] for words in wrong] == ["« zut@ ", "« personne d’ici "]
    for words in wrong:
        assert page.count(f'<p class="fr-error-text">{words}</p>') == 1
    assert typed["people"] in client.post("/sondages/nouveau/", form(**typed)).content.decode()
    good = {"people": f"Léa Nguyen\n{ANNE}; {BOB}", "optional": "Équipe Recette"}
    assert client.post("/sondages/nouveau/", form(**good)).status_code == 302
    asked = Poll.objects.get().participants.values_list("email", "is_required")
    assert set(asked) == {(lea.email, True), (ANNE, True), (BOB, True), (sofia.email, False)}
    # The form of the open poll begins with them.
    page = html(client.get(at("edit", Poll.objects.get())))
    assert f'"text": "Sofia Marchal \\u003C{sofia.email}\\u003E", "name": "Sofia Marchal"' in page


def test_rows_come_and_go_without_a_script(boss: Agent) -> None:
    client = client_of(boss)
    page = html(client.post("/sondages/nouveau/", form(act="add", title="")))
    assert page.count('name="date"') == 4
    assert f'value="{day(8)}"' in page
    assert "Donnez un titre" not in page, "nothing is checked yet"
    assert f"Anne &lt;{ANNE}&gt;" in page
    page = html(client.post("/sondages/nouveau/", form(remove="0")))
    assert page.count('name="date"') == 2
    assert f'value="{day(7)}"' not in page
    assert not Poll.objects.exists()
    # Enter in a field presses the first button: it must not be one that removes a date.
    first = re.search(r"<form[^>]*id=\"sonder\".*?<button[^>]*>", page)
    assert first is not None
    assert 'name="remove"' not in first[0].split("<button")[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": ""}, "Donnez un titre à la réunion."),
        ({"title": "a" * 201}, "200 caractères au plus"),
        ({"date": [day(7)], "start": ["10:00"]}, "Proposez au moins deux dates."),
        ({"date": [day(7), day(7)], "start": ["10:00", "10:00"]}, "est proposé deux fois."),
        ({"date": [day(7), day(-1)], "start": ["10:00", "10:00"]}, "est déjà passé."),
        ({"date": [day(7), "demain"], "start": ["10:00", "10:00"]}, "Écrivez la date comme 26/11/2026."),
        ({"date": [day(7), day(8)], "start": ["10:00", ""]}, "Écrivez l’heure comme 10:30."),
        ({"date": [day(7), "0001-01-01"], "start": ["10:00", "00:00"]}, "est hors du calendrier."),
        ({"date": [day(7), "2099-12-31"], "start": ["10:00", "23:59"]}, "choisissez dans les cinquante ans."),
        ({"date": [day(n) for n in range(1, 32)], "start": ["10:00"] * 31}, "30 dates au plus"),
        ({"deadline_date": day(7), "deadline_time": "10:00"}, "La limite doit venir avant la première date"),
        ({"deadline_date": day(-1)}, "Cette limite est déjà passée"),
        ({"deadline_date": "", "deadline_time": "10:00"}, "Choisissez le jour de la limite."),
        ({"people": "", "optional": ""}, "Indiquez au moins une personne à consulter."),
        ({"people": "m.durand@finistere"}, "n’est pas une adresse complète"),
        ({"people": "\n".join(f"a{n}@b.example" for n in range(501))}, "500 personnes au plus"),
        ({"time_zone": "Europe/Pari"}, "Ce fuseau horaire n’existe pas."),
        ({"minutes": "0"}, "La fin doit venir après le début."),
        ({"minutes": "99999999999"}, "quatorze jours"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(boss: Agent, changed: dict[str, Any], words: str) -> None:
    page = html(client_of(boss).post("/sondages/nouveau/", form(**changed)), 422)
    assert words in page
    assert "champ à corriger" in page or "champs à corriger" in page
    assert not Poll.objects.exists()


def test_hostile_words_stay_words(boss: Agent) -> None:
    script = "<script>alert(1)</script>"
    page = html(client_of(boss).post("/sondages/nouveau/", form(title=f"A\r\nBcc: x@y.fr {script}", place=script)), 422)
    assert "Écrivez sur une seule ligne" in page
    client_of(boss).post("/sondages/nouveau/", form(title=script, place=script, description=f"{script}\r\nDeux"))
    made = Poll.objects.get()
    assert made.description == f"{script}\nDeux"
    for path, client in ((at("detail", made), client_of(boss)), (guest_path(made, ANNE), Client())):
        assert script not in html(client.get(path))
        assert "&lt;script&gt;" in html(client.get(path))


def test_a_link_brings_title_and_dates(boss: Agent) -> None:
    page = html(
        client_of(boss).get(
            "/sondages/nouveau/?titre=Recette&minutes=45&d=2030-05-06T10:00&d=demain&d=2030-05-07T11:30"
        )
    )
    assert 'value="Recette"' in page
    assert 'value="2030-05-06"' in page
    assert 'value="11:30"' in page
    assert '<option value="45" selected>' in page


def test_editing_keeps_votes_and_refuses_a_stale_form(boss: Agent) -> None:
    made = poll(boss, [ANNE])
    answered(made, ANNE, YES, MAYBE, NO)
    client = client_of(boss)
    page = html(client.get(at("edit", made)))
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    rows = re.findall(r'name="(date|start)" type="(?:date|time)" value="([^"]*)"', page)
    fields = form(
        seen=seen[1].replace("&#x2B;", "+"),
        date=[value for name, value in rows if name == "date"][1:],
        start=[value for name, value in rows if name == "start"][1:],
        people=f"{ANNE}\n{BOB}",
        deadline_date="",
    )
    assert client.post(at("edit", made), fields).status_code == 302
    assert PollVote.objects.count() == 2
    assert made.participants.count() == 2
    page = html(client.post(at("edit", made), fields | {"title": "Autre"}), 409)
    assert "Le sondage a changé pendant que vous l’écriviez." in page
    again = re.search(r'name="seen" value="([^"]+)"', page)
    assert again is not None
    assert client.post(at("edit", made), fields | {"title": "Autre", "seen": again[1]}).status_code == 302
    made.refresh_from_db()
    assert made.title == "Autre"


# --- one poll's page --------------------------------------------------------------------------------------------
def test_the_organiser_sees_who_said_what_and_the_best_date(boss: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    made = poll(boss, [lea, ANNE, BOB])
    answered(made, lea, YES, MAYBE, NO)
    answered(made, ANNE, YES, NO, YES)
    page = html(client_of(boss).get(at("detail", made)))
    assert "2 réponses sur 3" in page
    assert "1 personne n’a pas répondu." in page
    assert page.count("Meilleure date") == 1
    table = page.split("<table")[1].split("</table>")[0]
    assert len(re.findall(r"<th[^>]*scope=\"row\"", table)) == 3
    cells = re.findall(r'<td class="po-cell po-cell--(\w+)">', table)
    assert cells == ["yes", "if_need_be", "no", "yes", "no", "yes"]
    assert '<span class="po-sign" aria-hidden="true">(✓)</span> <span class="po-word">Si besoin</span>' in table
    assert "Quand pouvez-vous" not in page, "who organises is not asked"
    for name in ("edit", "close", "remind"):
        assert at(name, made) in page
    assert at("choose", made, key=keys(made)[0]) in page


def test_an_agent_votes_and_sees_their_own_calendar(boss: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    made = poll(boss, [lea, ANNE])
    starts_at = made.options.all()[0].starts_at
    factories.meeting(lea, starts_at=starts_at + dt.timedelta(minutes=30))
    client = client_of(lea)
    page = html(client.get(at("detail", made)))
    assert page.count("Vous avez déjà une réunion") == 1
    assert page.count("Vous êtes libre") == 2
    assert "Relancer" not in page
    fields = {f"vote-{key}": choice for key, choice in zip(keys(made), (YES, MAYBE, NO), strict=True)}
    missing = html(client.post(at("answer", made), dict(list(fields.items())[:2])), 422)
    assert "Répondez pour chaque date" in missing
    assert missing.count("Répondez pour cette date.") == 1
    assert marked(missing) == 2, "what was chosen is kept"
    assert client.post(at("answer", made), {**fields, "comment": "Plutôt mardi"}).status_code == 302
    assert person(made, lea).comment == "Plutôt mardi"
    assert marked(html(client.get(at("detail", made)))) == 3
    assert "« Plutôt mardi »" in html(client_of(boss).get(at("detail", made)))
    assert "« Plutôt mardi »" not in html(client.get(at("detail", made)))


def test_hidden_votes_are_hidden_from_all_but_the_organiser(boss: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    made = poll(boss, [lea, ANNE], shows_votes=False)
    answered(made, ANNE, YES, NO, NO)
    pages = [
        html(client_of(lea).get(at("detail", made))),
        html(client_of(lea).get(at("fragment", made, piece="resultats"))),
        html(client_of(lea).get(at("fragment", made, piece="cote"))),
        html(Client().get(guest_path(made, lea))),
    ]
    for page in pages:
        assert "anne@" not in page
        assert "1 oui" not in page
        assert "Meilleure date" not in page
    assert "anne@partenaire.example" in html(client_of(boss).get(at("detail", made)))


def test_addresses_of_others_are_not_shown_whole(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB])
    answered(made, ANNE, YES, NO, NO)
    page = html(Client().get(guest_path(made, BOB)))
    assert "anne@…" in page
    assert ANNE not in page


# --- choosing, closing, reminding -------------------------------------------------------------------------------
def test_choosing_asks_first_and_two_clicks_are_one_meeting(boss: Agent) -> None:
    made = poll(boss, [ANNE])
    client, path = client_of(boss), at("choose", made, key=keys(made)[1])
    page = html(client.get(path))
    assert "Choisir cette date ?" in page
    assert not Meeting.objects.exists()
    first, second = client.post(path), client.post(path)
    assert first["Location"] == second["Location"] == f"/reunions/{Meeting.objects.get().public_id}/"
    assert "La réunion est planifiée" in html(client.get(at("detail", made)))
    assert client.get(path)["Location"] == at("detail", made)
    assert client.post(at("choose", made, key=keys(made)[0]))["Location"] == at("detail", made)
    assert "Une autre date est déjà choisie." in html(client.get(at("detail", made)))
    assert client.get(at("choose", made, key="20200101T000000Z")).status_code == 404


def test_closing_reopening_and_reminding(boss: Agent) -> None:
    made = poll(boss, [ANNE, BOB])
    client = client_of(boss)
    assert client.post(at("remind", made)).status_code == 302
    assert "Relance envoyée à 2 personnes." in html(client.get(at("detail", made)))
    client.post(at("remind", made))
    assert "Une relance est déjà partie depuis moins d’un jour." in html(client.get(at("detail", made)))
    assert "Clore ce sondage sans choisir ?" in html(client.get(at("close", made)))
    client.post(at("close", made))
    page = html(client.get(at("detail", made)))
    assert "Sondage clos sans choix" in page
    assert "Rouvrir le sondage" in page
    client.post(at("reopen", made))
    assert "Sondage rouvert." in html(client.get(at("detail", made)))
    assert Poll.objects.get().status == "open"


# --- the lists and the cost -------------------------------------------------------------------------------------
def test_lists_say_what_waits(boss: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    waiting, done = poll(boss, [lea], title="Attend"), poll(boss, [lea, ANNE], title="Répondu")
    answered(done, lea, YES, YES, YES)
    page = html(client_of(lea).get("/sondages/"))
    assert page.index("Attend<") < page.index("Répondu<")
    assert page.count("Réponse attendue") == 1
    assert "1 réponse sur 2" in page
    assert html(client_of(boss).get("/sondages/")).count("po-line__what") == 0
    assert html(client_of(boss).get("/sondages/?onglet=organises&fragment=1")).count("po-line__what") == 2
    close_poll(poll=waiting, by=boss, now=timezone.now())
    assert "Clos sans choix" in html(client_of(lea).get("/sondages/"))
    assert "Personne ne vous a demandé de date." in html(client_of(factories.agent()).get("/sondages/"))


def test_the_dashboard_names_what_waits_at_one_query(boss: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    client = client_of(lea)
    assert "Dates à indiquer" not in html(client.get("/"))
    costs = []
    for number in (1, 2, 5):
        made = [poll(boss, [lea], title=f"Sondage {number}.{index}") for index in range(number)][-1]
        costs.append(queries(client, "/accueil/invitations/"))
    assert costs[0] == costs[1] == costs[2] <= 6
    page = html(client.get("/accueil/invitations/"))
    assert page.count("po-dash__row") == 3
    assert "Tous les sondages" in page
    assert queries(client, "/") <= 11
    for of in Poll.objects.all():
        answered(of, lea, YES, YES, YES)
    assert "Dates à indiquer" not in html(client.get("/"))
    assert made.title in html(client.get("/sondages/"))


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("name", "most"), [("list", 6), ("detail", 11), ("mine", 12), ("guest", 5), ("resultats", 8), ("edit", 10)]
)
def test_the_cost_does_not_grow_with_the_rows(boss: Agent, name: str, most: int) -> None:
    lea = factories.agent("Léa", "Nguyen")
    seen = []
    for number in (1, 3):
        people: list[Agent | str] = [lea, *(f"p{index}@x.example" for index in range(number))]
        made = [poll(boss, people, days=range(2, 3 + number)) for _index in range(number)][-1]
        for who in people:
            answered(made, who, *[YES] * (number + 1))
        client = {"mine": client_of(lea), "guest": Client()}.get(name, client_of(boss))
        path = {
            "list": "/sondages/?onglet=organises",
            "mine": at("detail", made),
            "guest": guest_path(made, "p0@x.example"),
            "resultats": at("fragment", made, piece="resultats"),
        }.get(name) or at(name, made)
        seen.append(queries(client, path))
    assert seen[0] == seen[1]
    assert seen[1] <= most, seen
