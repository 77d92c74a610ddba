"""Series in a real browser: planned, one date moved, the following cancelled and taken back, another time proposed and kept."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browser.slow import SlowScripts
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.visio.meetings.test_views_series import PARIS, TUESDAY, after, dates, days, url, weekly
from visio.meetings.exception_models import CounterProposal
from visio.meetings.models import Meeting
from visio.meetings.tokens import link_token

PLAN = f"/reunions/planifier/?date={TUESDAY}&start=10:00"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def meeting(organiser: Agent) -> Meeting:
    return weekly(organiser)


def send(page: Page) -> None:
    page.get_by_role("button", name="Envoyer les invitations").click()


def made(page: Page) -> Meeting:
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    return Meeting.objects.get()


# --- planning --------------------------------------------------------------------------------------------------------
def test_a_weekly_series_from_the_form(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Point d’équipe")
    expect(page.get_by_label("Dernier jour de la série")).to_be_hidden()
    repeat = page.get_by_label("Répéter")
    repeat.select_option("weekly")
    sentence = page.locator("#repetition-phrase")
    expect(sentence).to_have_text("Toutes les semaines, le mardi")
    # Another day: the list and the sentence say it.
    page.locator("#id_date").fill(after(1))
    expect(sentence).to_have_text("Toutes les semaines, le mercredi")
    expect(repeat.locator("option:checked")).to_have_text("Toutes les semaines, le mercredi")
    # Writing a number is choosing that end.
    page.get_by_label("Nombre de dates").fill("3")
    expect(page.get_by_label("Après", exact=True)).to_be_checked()
    expect(sentence).to_have_text("Toutes les semaines, le mercredi, 3 fois")
    send(page)
    assert days(made(page)) == ["+1 10:00", "+8 10:00", "+15 10:00"]
    expect(page.get_by_role("heading", name="Prochaines dates")).to_be_visible()


def test_a_rhythm_of_ones_own_by_keyboard(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Deux fois par semaine")
    page.get_by_label("Répéter").select_option("custom")
    expect(page.get_by_role("checkbox", name="mardi")).to_be_checked()
    page.get_by_role("checkbox", name="jeudi").focus()
    page.keyboard.press("Space")
    page.get_by_label("Dernier jour de la série").fill(after(10))
    expect(page.get_by_label("Le", exact=True)).to_be_checked()
    expect(page.locator("#repetition-phrase")).to_contain_text("le mardi et le jeudi, jusqu’au")
    # Monthly asks for something else.
    kind = page.get_by_label("Jours, semaines, mois ou ans")
    kind.select_option("monthly")
    expect(page.get_by_role("checkbox", name="mardi")).to_be_hidden()
    expect(page.get_by_label("Quel jour du mois").locator("option")).to_have_count(4)
    kind.select_option("weekly")
    send(page)
    assert days(made(page)) == ["+0 10:00", "+2 10:00", "+7 10:00", "+9 10:00"]


def test_the_weekday_follows_the_date_until_one_is_chosen(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Point")
    pressed = page.locator("[name=repeat_weekdays]:checked + label")
    page.locator("#id_date").fill(after(1))
    page.get_by_label("Répéter").select_option("custom")
    expect(pressed).to_contain_text(["mercredi"])
    page.locator("#id_date").fill(after(2))
    expect(pressed).to_contain_text(["jeudi"])
    expect(page.locator("#repetition-phrase")).to_contain_text("le jeudi")
    page.get_by_role("checkbox", name="mardi").focus()
    page.keyboard.press("Space")
    page.locator("#id_date").fill(after(3))
    expect(page.locator("#repetition-phrase")).to_contain_text("le mardi et le jeudi")
    expect(pressed).to_contain_text(["mardi", "jeudi"])


def test_the_weekday_of_a_date_chosen_before_the_script(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser)
    scripts = SlowScripts(page)
    page.goto(PLAN, wait_until="commit")
    page.locator("#id_date").fill(after(1))
    page.get_by_label("Répéter").select_option("custom")
    scripts.arrive()
    expect(page.locator("[name=repeat_weekdays]:checked + label")).to_contain_text(["mercredi"])


def test_whole_days_hide_the_hours(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Séminaire")
    page.get_by_label("Toute la journée").check()
    expect(page.locator("#id_start")).to_be_hidden()
    page.locator("#id_last_day").fill(after(1))
    # The last day keeps its distance.
    page.locator("#id_date").fill(after(1))
    page.locator("#id_date").dispatch_event("change")
    expect(page.locator("#id_last_day")).to_have_value(after(2))
    expect(page.locator("#recapitulatif")).to_contain_text("Journées entières, jusqu’au")
    send(page)
    meeting = made(page)
    assert (meeting.is_all_day, meeting.start_date.isoformat(), meeting.minutes) == (True, after(1), 2880)


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
def test_the_zone_of_whole_days_is_asked_of_nobody(visitors: Visitors, organiser: Agent, script: bool) -> None:
    days_off = weekly(organiser, is_all_day=True, minutes=1440, time_zone="Pacific/Noumea")
    page = visitors.page_as(organiser, url(days_off, "edit", dates(days_off)[1]), java_script_enabled=script)
    zone = page.locator("#id_time_zone")
    for scope in ("Cette date", "Cette date et les suivantes", "Toute la série"):
        page.get_by_role("radio", name=re.compile(f"^{scope}(?! et)")).check()
        expect(zone).to_be_hidden()
    page.get_by_role("checkbox", name="Toute la journée").uncheck()
    expect(zone).to_be_visible()


def test_series_and_whole_days_without_a_script(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN, java_script_enabled=False)
    page.get_by_label("Titre").fill("Sans script")
    page.get_by_label("Toute la journée").check()
    expect(page.locator("#id_start")).to_be_hidden()
    page.get_by_label("Répéter").select_option("monthly_day")
    page.get_by_label("Après", exact=True).check()
    page.get_by_label("Nombre de dates").fill("2")
    send(page)
    meeting = made(page)
    assert meeting.is_all_day
    assert meeting.occurrences.count() == 2


def test_a_repetition_chosen_before_the_script_counts(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser)
    scripts = SlowScripts(page)
    page.goto(PLAN, wait_until="commit")
    page.locator("#id_title").fill("Tôt")
    page.get_by_label("Répéter").select_option("weekly")
    scripts.arrive()
    expect(page.locator("#repetition-phrase")).to_have_text("Toutes les semaines, le mardi")
    send(page)
    assert made(page).is_series


def test_a_team_is_invited_at_once(visitors: Visitors, organiser: Agent) -> None:
    home = organiser.organisation
    members = [factories.agent(f"Prénom{number}", organisation=home) for number in range(8)]
    factories.team("Portail", organisation=home, members=[organiser, *members])
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Toute l’équipe")
    field = page.get_by_role("combobox", name="Participants")
    field.fill("portail")
    option = page.get_by_role("option", name=re.compile("Équipe Portail.*9 personnes"))
    expect(option).to_be_visible()
    field.press("Enter")
    expect(page.locator(".mt-chip")).to_have_count(8)
    expect(page.locator("[data-chips-status]")).to_have_text("Équipe Portail : 8 personnes dans la liste.")
    # The warning was on the page before it is sent: no second question.
    expect(page.locator("#recapitulatif")).to_contain_text("9 personnes en Visio")
    send(page)
    assert made(page).attendees.count() == 9


def test_hundreds_of_addresses_stay_quick_and_the_wrong_one_is_in_sight(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    lines = [f"g{number}@b.example" for number in range(400)] + ["faux@"]
    field = page.get_by_role("combobox", name="Participants")
    field.evaluate(
        """(field, text) => {
          const data = new DataTransfer();
          data.setData("text", text);
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        "\n".join(lines),
    )
    expect(page.locator(".mt-chip--wrong")).to_have_count(1)
    expect(page.locator(".mt-chip")).to_have_count(101)
    page.get_by_role("button", name="Afficher les 300 autres").click()
    expect(page.locator(".mt-chip")).to_have_count(401)


# --- one date, the following ---------------------------------------------------------------------------------------------
def test_moving_one_date(visitors: Visitors, organiser: Agent, meeting: Meeting) -> None:
    third = dates(meeting)[2]
    page = visitors.page_as(organiser, url(meeting, "detail", third))
    page.get_by_role("link", name="Déplacer").click()
    expect(page.locator("#id_date")).to_be_focused()
    expect(page.get_by_role("radio", name=re.compile("^Cette date (?!et)"))).to_be_checked()
    expect(page.get_by_label("Répéter")).to_be_hidden()
    page.locator("#id_start").fill("15:00")
    page.locator("#id_start").dispatch_event("change")
    page.get_by_role("button", name="Enregistrer et prévenir").click()
    expect(page.locator(".mt-series")).to_contain_text("Cette date a été déplacée.")
    expect(page.locator(".mt-facts")).to_contain_text("15:00 – 16:00")
    assert days(meeting)[1:4] == ["+7 10:00", "+14 15:00", "+21 10:00"]
    # All of it may change too, from the same form.
    page.get_by_role("link", name="Modifier").click()
    page.get_by_role("radio", name=re.compile("Toute la série")).focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Répéter")).to_be_visible()


def test_cancelling_the_following_and_taking_it_back(visitors: Visitors, organiser: Agent, meeting: Meeting) -> None:
    third = dates(meeting)[2]
    page = visitors.page_as(organiser, url(meeting, "detail", third))
    page.get_by_role("link", name="Annuler").click()
    page.get_by_role("radio", name=re.compile("Cette date et les suivantes")).check()
    page.get_by_role("button", name="Confirmer l’annulation").click()
    offer = page.locator(".mt-undo")
    expect(offer).to_contain_text(re.compile(r"Les courriels partent dans \d+ s\."))
    assert days(meeting) == ["+0 10:00", "+7 10:00"]
    offer.get_by_role("button", name=re.compile("^Rétablir")).click()
    expect(page.locator("#annonces")).to_contain_text("C’est comme avant")
    assert len(days(meeting)) == 6
    expect(offer).to_have_count(0)


def test_the_offer_to_take_back_goes_by_itself(visitors: Visitors, organiser: Agent, meeting: Meeting) -> None:
    page = visitors.page_as(organiser, url(meeting, "cancel", dates(meeting)[2]))
    page.get_by_role("button", name="Confirmer l’annulation").click()
    expect(page.locator(".mt-undo")).to_be_visible()
    expect(page.locator(".mt-undo")).to_be_hidden()


def test_taking_back_without_a_script(visitors: Visitors, organiser: Agent, meeting: Meeting) -> None:
    page = visitors.page_as(organiser, url(meeting, "cancel", dates(meeting)[2]), java_script_enabled=False)
    page.get_by_role("button", name="Confirmer l’annulation").click()
    page.locator(".mt-undo").get_by_role("button", name=re.compile("^Rétablir")).click()
    expect(page.locator("#annonces")).to_contain_text("C’est comme avant")
    assert len(days(meeting)) == 6


# --- another time --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_a_guest_proposes_another_time_and_it_is_taken(
    visitors: Visitors, organiser: Agent, meeting: Meeting, viewport: dict[str, int]
) -> None:
    third = dates(meeting)[2]
    key = url(meeting, "detail", third).rpartition("=")[2]
    guest = meeting.attendees.get(email="anne@b.example")
    desk = visitors.page_as(organiser, url(meeting, "detail", third), viewport=viewport)
    expect(desk.locator("body")).to_have_attribute("data-live-state", "on")
    page = visitors.page_as(None, f"/invitation/{link_token(guest)}/?date={key}", viewport=viewport)
    expect(page.get_by_label("Date", exact=True)).to_be_hidden()
    page.locator("label", has_text="Autre horaire").click()
    page.get_by_label("Date", exact=True).fill(after(15))
    page.get_by_label("De", exact=True).fill("14:00")
    page.get_by_label("À", exact=True).fill("13:00")
    page.get_by_label(re.compile("Message")).fill("Je suis en commission.")
    page.get_by_role("button", name="Envoyer ma réponse").click()
    expect(page.locator("#proposition-erreur")).to_contain_text("La fin doit venir après le début.")
    expect(page.get_by_label(re.compile("Message"))).to_have_value("Je suis en commission.")
    assert serious_faults(page) == []
    page.get_by_label("À", exact=True).fill("15:00")
    page.get_by_role("button", name="Envoyer ma réponse").click()
    expect(page.locator("#proposition")).to_contain_text("14:00 – 15:00")
    expect(page.locator("#proposition")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    # The organiser's page shows it without a reload.
    line = desk.locator(".mt-counter")
    expect(line).to_contain_text("« Je suis en commission. »")
    assert serious_faults(desk) == []
    line.get_by_role("button", name=re.compile("^Retenir")).click()
    expect(desk.locator("#annonces")).to_contain_text("Nouvel horaire retenu.")
    assert CounterProposal.objects.get().state == "accepted"
    assert dates(meeting)[2].starts_at.astimezone(PARIS) == dt.datetime.combine(
        TUESDAY + dt.timedelta(days=15), dt.time(14, 0), tzinfo=PARIS
    )


def test_the_proposed_end_follows_its_start(visitors: Visitors, organiser: Agent) -> None:
    colleague = factories.agent("Karim", "Benali", organisation=organiser.organisation)
    one = weekly(organiser, rule="", guests=[colleague, "anne@b.example"])  # 10:00 - 11:00
    guest = one.attendees.get(email="anne@b.example")
    for page, opener in (
        (visitors.page_as(None, f"/invitation/{link_token(guest)}/"), "Autre horaire"),
        (visitors.page_as(colleague, url(one, "detail")), "Proposer un autre horaire"),
    ):
        page.locator("label, summary").get_by_text(opener, exact=True).click()
        begin, end = page.get_by_label("De", exact=True), page.get_by_label("À", exact=True)
        # As a person types it, hour then minutes.
        begin.focus()
        page.keyboard.type("1430")
        expect(begin).to_have_value("14:30")
        expect(end).to_have_value("15:30")
        end.fill("16:00")
        begin.fill("08:00")
        expect(end).to_have_value("09:30")
        # No such hour that day: the end is the person's business.
        begin.fill("23:00")
        expect(end).to_have_value("09:30")
        begin.fill("09:00")
        expect(end).to_have_value("10:30")


def test_a_proposed_start_chosen_before_the_script_counts(visitors: Visitors, organiser: Agent) -> None:
    one = weekly(organiser, rule="")
    page = visitors.page_as(None)
    scripts = SlowScripts(page)
    page.goto(f"/invitation/{link_token(one.attendees.get(email='anne@b.example'))}/", wait_until="commit")
    page.locator("label", has_text="Autre horaire").click()
    page.get_by_label("De", exact=True).fill("14:00")
    expect(page.get_by_label("À", exact=True)).to_have_value("11:00")
    scripts.arrive()
    expect(page.get_by_label("À", exact=True)).to_have_value("15:00")


# --- every piece at both widths, light and dark ----------------------------------------------------------------------------
@pytest.mark.parametrize("dark", [False, True], ids=["clair", "sombre"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_the_form_of_a_series_has_no_serious_fault(
    visitors: Visitors, organiser: Agent, meeting: Meeting, viewport: dict[str, int], dark: bool
) -> None:
    page = visitors.page_as(organiser, url(meeting, "edit", dates(meeting)[2]), viewport=viewport, dark=dark)
    page.get_by_role("radio", name=re.compile("Toute la série")).check()
    page.get_by_label("Répéter").select_option("custom")
    page.get_by_label("Dernier jour de la série").fill(after(-30))
    page.get_by_role("button", name="Enregistrer et prévenir").click()
    expect(page.locator(".mt-footbar__errors")).to_contain_text("1 champ à corriger")
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
