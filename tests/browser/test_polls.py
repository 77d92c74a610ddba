"""A poll from the empty form to the meeting: the organiser at a desk, the guest on a phone."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.test_pages import check
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.visio.polls.asking import MAYBE, NO, YES, answered, keys, person, poll
from tests.waiting import until
from visio.meetings.models import Attendee, Meeting
from visio.polls.closing import choose_date, close_poll
from visio.polls.models import Poll, PollVote
from visio.polls.tokens import link_token

pytestmark = pytest.mark.django_db(transaction=True)
ANNE = "anne.le-goff@bretagne.example"


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


def guest_path(of: Poll, email: str = ANNE) -> str:
    return f"/sondage/{link_token(person(of, email))}/"


def test_from_the_form_to_the_meeting(visitors: Visitors, organiser: Agent) -> None:
    desk = visitors.page_as(organiser, "/sondages/nouveau/")
    desk.get_by_label("Titre").fill("Comité de suivi")
    day = (timezone.localdate() + dt.timedelta(days=7)).isoformat()
    desk.locator("#date-0").fill(day)
    desk.locator("#debut-0").fill("10:00")
    # Two rows too many, then one more day at the same hour, which the new row proposes by itself.
    for _row in range(2):
        desk.get_by_role("button", name="Retirer cette date").last.click()
    expect(desk.locator("[data-row]")).to_have_count(1)
    desk.get_by_role("button", name="Ajouter une date").click()
    expect(desk.locator("#date-1")).to_be_focused()
    expect(desk.locator("#debut-1")).to_have_value("10:00")
    desk.get_by_role("combobox", name="Personnes consultées").fill(f"Anne Le Goff <{ANNE}>")
    desk.get_by_role("button", name="Envoyer le sondage").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Comité de suivi")
    expect(desk.locator("#sondage-cote")).to_contain_text(re.compile("0 réponses? sur 1"))
    made = Poll.objects.get()
    assert next(option.starts_at.date().isoformat() for option in made.options.all()) == day

    phone = visitors.page_as(None, guest_path(made), viewport=PHONE)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Comité de suivi")
    first, second = phone.locator("fieldset.po-vote").all()
    when, choices = first.locator("legend").bounding_box(), first.locator(".po-choices").bounding_box()
    assert when is not None
    assert choices is not None
    assert when["y"] + when["height"] <= choices["y"], "the day stands above its answers"
    first.get_by_label("Non").check()
    second.get_by_label("Oui").check()
    phone.get_by_label("Message à Claire Morel").fill("Plutôt mercredi")
    phone.get_by_role("button", name="Envoyer ma réponse").click()
    expect(phone.locator("#merci")).to_be_focused()
    expect(second.get_by_label("Oui")).to_be_checked()

    # The organiser's page has followed by itself.
    expect(desk.locator("#sondage-cote")).to_contain_text("1 réponse sur 1")
    expect(desk.locator(".po-date--best")).to_contain_text("1 oui")
    expect(desk.locator("table.po-grid")).to_contain_text("« Plutôt mercredi »")
    desk.locator(".po-date--best").get_by_role("link", name="Choisir").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Choisir cette date ?")
    desk.get_by_role("button", name="Planifier la réunion").dblclick()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Comité de suivi")
    until(lambda: Meeting.objects.count() == 1)
    assert set(Attendee.objects.values_list("email", flat=True)) == {organiser.email, ANNE}
    phone.reload()
    expect(phone.locator("main")).to_contain_text("La date est choisie.")
    phone.get_by_role("link", name="Voir l’invitation et y répondre").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Comité de suivi")


def test_people_are_chips_of_the_directory(visitors: Visitors, organiser: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen", organisation=organiser.organisation)
    page = visitors.page_as(organiser, "/sondages/nouveau/")
    page.get_by_label("Titre").fill("Comité de suivi")
    for number, day in enumerate((7, 8)):
        date = timezone.localdate() + dt.timedelta(days=day)
        page.locator(f"#date-{number}").fill(date.isoformat())
        page.locator(f"#debut-{number}").fill("10:00")
    box = page.get_by_role("combobox", name="Personnes consultées")
    box.focus()
    page.keyboard.type("nguyen")
    expect(page.get_by_role("option", name=re.compile("Léa Nguyen"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    chips = page.locator(".mt-chip__role")
    expect(chips).to_have_text(["Léa Nguyen"])
    # Several at once, one of which is no address: it alone is marked, and nothing is lost.
    box.evaluate(
        """(input, text) => {
            const data = new DataTransfer();
            data.setData("text", text);
            input.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        f"{ANNE}; zut@\nbob@partenaire.example",
    )
    expect(chips).to_have_count(4)
    expect(page.locator(".mt-chip--wrong")).to_have_count(1)
    expect(page.locator("#participants-erreurs")).to_contain_text("« zut@ » n’est pas une adresse complète.")
    page.get_by_role("button", name="Envoyer le sondage").click()
    expect(page.locator(".mt-footbar__errors")).to_contain_text("1 champ à corriger : Personnes consultées")
    expect(chips).to_have_count(4)
    page.get_by_role("button", name="Retirer zut@").click()
    page.get_by_role("button", name=re.compile("bob@partenaire.example : indispensable")).click()
    page.get_by_role("button", name="Envoyer le sondage").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comité de suivi")
    asked = Poll.objects.get().participants.values_list("email", "is_required")
    assert set(asked) == {(lea.email, True), (ANNE, True), ("bob@partenaire.example", False)}


def test_votes_by_keyboard_and_all_at_once(visitors: Visitors, organiser: Agent) -> None:
    lea = factories.agent("Léa", "Nguyen")
    made = poll(organiser, [lea])
    page = visitors.page_as(lea, f"/sondages/{made.public_id}/")
    page.get_by_role("button", name="Si besoin", exact=True).click()
    first = page.locator("fieldset.po-vote").first
    first.get_by_label("Si besoin").focus()
    page.keyboard.press("ArrowLeft")
    expect(first.get_by_label("Oui")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator("#annonces")).to_contain_text("Réponse enregistrée.")
    assert [vote.choice for vote in PollVote.objects.order_by("option__starts_at")] == [YES, MAYBE, MAYBE]
    # Somebody who votes meanwhile does not disturb what is being chosen.
    first.get_by_label("Non").check()
    Poll.objects.update(title="Autre titre")
    close_poll(poll=made, by=organiser, now=timezone.now())
    expect(page.get_by_role("heading", level=1)).to_have_text("Autre titre")
    expect(first.get_by_label("Non")).to_be_checked()
    page.get_by_role("button", name="Changer ma réponse").click()
    expect(page.locator("main")).to_contain_text("Sondage clos sans choix")
    assert not PollVote.objects.filter(choice=NO).exists()


@pytest.mark.parametrize("dark", [False, True], ids=["clair", "sombre"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_every_page_in_every_light(visitors: Visitors, organiser: Agent, viewport: dict[str, int], dark: bool) -> None:
    lea, long = (
        factories.agent("Léa", "Nguyen"),
        "une-adresse-vraiment-tres-longue@une-collectivite-au-nom-long.example",
    )
    made = poll(organiser, [lea, ANNE, long], days=range(5, 13), title="Séminaire d’équipe", place="Fontenoy 1.03")
    answered(made, lea, *[YES, NO, MAYBE, YES] * 2)
    answered(made, ANNE, *[MAYBE, NO, YES, YES] * 2)
    closed = poll(organiser, [lea, ANNE], title="Clos")
    close_poll(poll=closed, by=organiser, now=timezone.now())
    chosen = poll(organiser, [lea, ANNE], title="Choisi")
    choose_date(poll=chosen, key=keys(chosen)[0], by=organiser, now=timezone.now())
    base = f"/sondages/{made.public_id}/"
    pages = [
        (organiser, "/sondages/?onglet=organises"),
        (organiser, "/sondages/nouveau/"),
        (organiser, base),
        (organiser, f"{base}modifier/"),
        (organiser, f"{base}clore/"),
        (organiser, f"{base}choisir/{keys(made)[0]}/"),
        (organiser, f"/sondages/{closed.public_id}/"),
        (organiser, f"/sondages/{chosen.public_id}/"),
        (lea, "/sondages/"),
        (lea, base),
        (None, guest_path(made)),
        (None, guest_path(closed)),
        (None, guest_path(chosen)),
        (None, f"/sondage/{'A' * 32}/"),
    ]
    for who in (organiser, lea, None):
        page = visitors.page_as(who, viewport=viewport, dark=dark)
        for _who, path in [pair for pair in pages if pair[0] == who]:
            page.goto(path)
            check(page)
    page = visitors.page_as(organiser, "/sondages/nouveau/", viewport=viewport, dark=dark)
    page.get_by_role("button", name="Envoyer le sondage").click()
    expect(page.locator(".fr-error-text").first).to_be_visible()
    check(page)


def test_the_names_stay_while_the_grid_scrolls(visitors: Visitors, organiser: Agent) -> None:
    made = poll(organiser, [ANNE], days=range(5, 20))
    answered(made, ANNE, *[YES] * 15)
    page = visitors.page_as(organiser, f"/sondages/{made.public_id}/", viewport=PHONE)
    name = page.locator("tbody .po-grid__name").first
    before = name.bounding_box()
    page.locator(".po-scroll").evaluate("(region) => { region.scrollLeft = 400; }")
    after = name.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["x"] - after["x"]) < 2
    first = page.locator("thead th").nth(1).bounding_box()
    assert first is not None
    assert first["x"] < before["x"], "the dates have moved"
