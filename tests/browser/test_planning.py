"""Planning, answering and reading meetings in a real browser."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Dialog, Page, expect

from suite.agents.models import Agent
from tests import factories
from tests.browser.accessibility import serious_faults
from tests.browsing import DESKTOP, PHONE, Visitors
from tests.waiting import until
from visio.meetings.answers import answer
from visio.meetings.models import Attendee, Meeting
from visio.meetings.tokens import link_token

PLAN = "/reunions/planifier/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organiser() -> Agent:
    return factories.agent("Claire", "Morel")


@pytest.fixture
def karim(organiser: Agent) -> Agent:
    from suite.agents.directory import search_agents

    made = factories.agent("Karim", "Benali", organisation=organiser.organisation, time_zone="Indian/Reunion")
    assert list(search_agents(viewer=organiser, text="benali")) == [made]
    return made


def people(page: Page) -> list[str]:
    return page.locator(".mt-chip__role").all_inner_texts()


def field(page: Page, value: str) -> str:
    return page.locator(f"[name={value}]").input_value()


def send(page: Page) -> None:
    page.get_by_role("button", name="Envoyer les invitations").click()


def test_by_keyboard_alone_from_the_title_to_the_meeting(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    page = visitors.page_as(organiser, PLAN + "?date=2030-05-06&start=10:00")
    expect(page.locator("#id_title")).to_be_focused()
    page.keyboard.type("Comité de suivi")
    people_field = page.get_by_role("combobox", name="Participants")
    people_field.focus()
    page.keyboard.type("benali")
    option = page.get_by_role("option", name=re.compile("Karim Benali"))
    expect(option).to_have_attribute("aria-selected", "true")
    expect(people_field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(people_field).to_have_value("")
    assert people(page) == ["Karim Benali"]
    page.keyboard.type("anne@bretagne.example,")
    expect(page.locator(".mt-chip")).to_have_count(2)
    # The summary follows, with the hour where Karim lives.
    expect(page.locator("#recapitulatif")).to_contain_text("12:00 – 13:00 à La Réunion, pour Karim Benali")
    expect(page.locator("#recapitulatif")).to_contain_text("2 personnes reçoivent un courriel, dont 1 externe")
    # Back over the chip, then again in the field.
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Retirer anne@bretagne.example")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".mt-chip--optional")).to_have_count(1)
    page.get_by_role("button", name="Envoyer les invitations").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Comité de suivi")
    # The DSFR draws an alert's edge and the ground of its icon as background images.
    drawn = page.locator("#annonces .fr-alert").evaluate("alert => getComputedStyle(alert).backgroundImage")
    assert "gradient" in drawn
    roles = Attendee.objects.exclude(role="chair").values_list("email", "role")
    assert set(roles) == {(karim.email, "required"), ("anne@bretagne.example", "optional")}


def test_enter_never_chooses_among_proposals_for_an_earlier_text(
    visitors: Visitors, organiser: Agent, karim: Agent
) -> None:
    sophie = factories.agent("Sophie", "Lambert", organisation=organiser.organisation)
    page = visitors.page_as(organiser, PLAN)
    people_field = page.get_by_role("combobox", name="Participants")
    people_field.fill("benali")
    expect(page.get_by_role("option", name=re.compile("Karim Benali"))).to_be_visible()
    # The whole name at once and Enter, before the directory can answer.
    people_field.fill("lambert")
    people_field.press("Enter")
    expect(page.locator(".mt-chip__role")).to_have_text(["Sophie Lambert"])
    people_field.fill("benali")
    expect(page.get_by_role("option", name=re.compile("Karim Benali"))).to_be_visible()
    people_field.fill("x@y.example")
    people_field.press("Enter")
    expect(page.locator(".mt-chip__role")).to_have_text(["Sophie Lambert", "x@y.example"])
    assert sophie.email in field(page, "attendees")


def test_backspace_takes_the_last_one_away(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    people_field = page.get_by_role("combobox", name="Participants")
    people_field.fill("a@b.example")
    people_field.press("Enter")
    expect(page.locator(".mt-chip")).to_have_count(1)
    people_field.press("Backspace")
    expect(page.locator(".mt-chip")).to_have_count(0)
    expect(people_field).to_be_focused()
    assert field(page, "attendees") == ""


def test_many_pasted_at_once_the_good_ones_stay_and_the_bad_one_is_told(
    visitors: Visitors, organiser: Agent, karim: Agent
) -> None:
    page = visitors.page_as(organiser, PLAN)
    people_field = page.get_by_role("combobox", name="Participants")
    people_field.focus()
    pasted = f"{karim.email}; Anne Le Goff <anne@b.example>, m.durand@finistere\nyann@b.example"
    people_field.evaluate(
        """(field, text) => {
          const data = new DataTransfer();
          data.setData("text", text);
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        pasted,
    )
    expect(page.locator(".mt-chip")).to_have_count(4)
    expect(page.locator(".mt-chip--wrong")).to_have_text(re.compile("m.durand@finistere"))
    expect(page.locator("#participants-erreurs")).to_contain_text(
        "« m.durand@finistere » n’est pas une adresse complète"
    )
    expect(people_field).to_have_attribute("aria-invalid", "true")
    # Sent all the same, the server says it too, and nothing is lost.
    page.locator("#id_title").fill("Réunion")
    send(page)
    expect(page.locator(".mt-footbar__errors")).to_contain_text("1 champ à corriger")
    expect(page.locator(".mt-chip")).to_have_count(4)
    expect(page.locator("#participants-erreurs .fr-error-text")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Participants")).to_be_focused()
    page.locator(".mt-footbar__errors").get_by_role("link", name="Participants").click()
    expect(page.get_by_role("combobox", name="Participants")).to_be_focused()
    # Its name brings the text back to be corrected.
    page.locator(".mt-chip--wrong .mt-chip__role").click()
    expect(page.get_by_role("combobox", name="Participants")).to_have_value("m.durand@finistere")
    page.keyboard.press("End")
    page.keyboard.type(".gouv.fr")
    page.keyboard.press("Enter")
    expect(page.locator(".mt-chip--wrong")).to_have_count(0)
    expect(page.locator(".mt-chip")).to_have_count(4)
    assert serious_faults(page) == []
    send(page)
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    assert Meeting.objects.get().attendees.count() == 5


def test_start_end_and_duration_follow_each_other(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN + "?date=2030-05-06&start=10:00")
    page.locator("#id_start").fill("14:30")
    page.locator("#id_start").dispatch_event("change")
    assert field(page, "end") == "15:30"
    page.locator("#id_minutes").select_option("90")
    assert field(page, "end") == "16:00"
    page.locator("#id_end").fill("15:00")
    page.locator("#id_end").dispatch_event("change")
    assert field(page, "minutes") == "30"
    page.locator("#id_end").fill("15:20")
    page.locator("#id_end").dispatch_event("change")
    assert field(page, "minutes") == ""
    page.locator("#id_title").fill("Cinquante minutes")
    send(page)
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    assert Meeting.objects.get().minutes == 50


def test_a_zone_is_found_by_its_town(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN + "?date=2030-05-06&start=10:00")
    zone = page.get_by_role("combobox", name="Fuseau horaire")
    expect(zone).to_have_value(re.compile(r"^Paris \(UTC\+1|^Paris \(UTC\+2"))
    zone.click()
    zone.fill("reunion")
    expect(page.locator("#fuseaux [role=option]")).to_have_count(1)
    zone.press("Enter")
    expect(zone).to_have_value("La Réunion (UTC+4)")
    assert field(page, "time_zone") == "Indian/Reunion"
    zone.fill("nulle part")
    expect(page.locator("#fuseaux [role=option]")).to_have_text("Aucun fuseau ne porte ce nom")
    zone.press("Escape")
    page.locator("#id_title").focus()
    expect(zone).to_have_value("La Réunion (UTC+4)")
    expect(page.locator("#recapitulatif")).to_contain_text("La Réunion")


def test_leaving_with_unsaved_changes_asks(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#id_title").fill("À ne pas perdre")
    page.get_by_role("link", name="Tableau de bord").click(no_wait_after=True)
    until(lambda: asked == ["beforeunload"])
    expect(page.locator("#id_title")).to_have_value("À ne pas perdre")


def test_a_double_click_makes_one_meeting(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    page.locator("#id_title").fill("Une seule")
    page.get_by_role("button", name="Envoyer les invitations").dblclick()
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    assert Meeting.objects.count() == 1


def test_planning_works_without_javascript(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN + "?date=2030-05-06&start=10:00", java_script_enabled=False)
    page.get_by_label("Titre").fill("Sans script")
    page.locator("#id_attendees").fill("a@b.example, Anne <anne@b.example>\nfaux")
    page.locator("#id_end").fill("10:45")
    send(page)
    expect(page.locator("#id_attendees-erreur")).to_contain_text("« faux »")
    expect(page.locator("#id_attendees")).to_have_value(re.compile("faux"))
    page.locator("#id_attendees").fill("a@b.example, Anne <anne@b.example>")
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sans script")
    meeting = Meeting.objects.get()
    assert (meeting.minutes, meeting.attendees.count()) == (45, 3)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_the_form_with_errors_has_no_serious_fault(
    visitors: Visitors, organiser: Agent, viewport: dict[str, int], dark: bool
) -> None:
    page = visitors.page_as(organiser, PLAN, viewport=viewport, dark=dark)
    page.get_by_role("combobox", name="Participants").fill("faux@")
    page.get_by_role("combobox", name="Participants").press("Enter")
    expect(page.locator(".mt-chip--wrong")).to_have_count(1)
    send(page)
    expect(page.locator(".mt-footbar__errors")).to_contain_text("2 champs à corriger")
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


# --- the list, the page, the invitation ------------------------------------------------------------------------------
def test_answering_in_place_and_taking_it_back(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    first = factories.meeting(organiser, guests=[karim], title="La première")
    factories.meeting(
        organiser, guests=[karim], title="La seconde", starts_at=timezone.now() + dt.timedelta(days=1, hours=2)
    )
    page = visitors.page_as(karim, "/reunions/?onglet=a-traiter")
    row = page.locator("li", has_text="La première")
    row.get_by_role("button", name="Accepter").click()
    expect(row).to_contain_text("Vous participez.")
    # The focus is on what comes next, not lost.
    expect(page.locator("li", has_text="La seconde").get_by_role("button", name="Accepter")).to_be_focused()
    assert first.attendees.get(agent=karim).answer == "accepted"
    row.get_by_role("button", name="Annuler").click()
    expect(row.get_by_role("button", name="Accepter")).to_be_visible()
    assert first.attendees.get(agent=karim).answer == "needs_action"
    row.get_by_role("button", name="Décliner").click()
    expect(row).to_contain_text("Vous avez décliné.")
    expect(row).to_have_count(0)  # ten seconds later the row goes by itself


def test_nothing_is_left_to_answer_once_it_is_cancelled(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    meeting = factories.meeting(organiser, guests=[karim])
    page = visitors.page_as(karim, reverse("meetings:detail", args=[meeting.public_id]))
    expect(page.get_by_role("button", name="Accepter")).to_be_visible()
    expect(page.locator("body")).not_to_have_class(re.compile("ps-live-paused"))
    other = visitors.page_as(organiser, reverse("meetings:cancel", args=[meeting.public_id]))
    other.get_by_role("button", name="Annuler la réunion").click()
    expect(page.locator(".mt-head")).to_contain_text("Réunion annulée")
    expect(page.get_by_role("button", name="Accepter")).to_be_hidden()


def test_a_message_goes_along_with_a_proposal(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    meeting = factories.meeting(organiser, guests=[karim])
    page = visitors.page_as(karim, reverse("meetings:detail", args=[meeting.public_id]))
    message = page.get_by_label("Message à l’organisateur")
    message.first.fill("Je suis en commission.")
    page.get_by_text("Proposer un autre horaire").click()
    expect(message.filter(visible=True)).to_have_count(1)
    expect(message.filter(visible=True)).to_have_value("Je suis en commission.")
    tops = page.locator(".mt-propose__when input").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().top)"
    )
    assert len(tops) == 3
    assert len(set(tops)) == 1, "day and hours stand on one line"


def test_the_ledger_follows_an_answer_without_a_reload(visitors: Visitors, organiser: Agent, karim: Agent) -> None:
    meeting = factories.meeting(organiser, guests=[karim])
    page = visitors.page_as(organiser, reverse("meetings:detail", args=[meeting.public_id]))
    row = page.locator(".mt-row", has_text="Karim Benali")
    expect(row).to_contain_text("Sans réponse")
    expect(page.locator("body")).not_to_have_class(re.compile("ps-live-paused"))
    answer(
        attendee=meeting.attendees.get(agent=karim),
        answer="declined",
        comment="Léa vient.",
        via="portal",
        now=timezone.now(),
    )
    expect(row).to_contain_text("Décline")
    expect(row).to_contain_text("« Léa vient. »")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_a_guest_answers_from_the_link(visitors: Visitors, organiser: Agent, viewport: dict[str, int]) -> None:
    meeting = factories.meeting(organiser, guests=["anne@b.example"])
    guest = meeting.attendees.get(email="anne@b.example")
    page = visitors.page_as(None, f"/invitation/{link_token(guest)}/?reponse=accepted", viewport=viewport)
    expect(page.get_by_role("radio", name=re.compile("J’accepte"))).to_be_checked()
    guest.refresh_from_db()
    assert guest.answer == "needs_action"
    page.locator("label", has_text="Je décline").click()
    page.get_by_label(re.compile("Message")).fill("Je suis en commission.")
    # The browser sends the Origin that the CSRF check wants, although the page lets no address out.
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Envoyer ma réponse").click()
    assert "/invitation/" not in sent.value.all_headers().get("referer", "")
    expect(page.locator("#merci")).to_contain_text("Merci, votre réponse est enregistrée.")
    expect(page.locator("#merci")).to_be_focused()
    guest.refresh_from_db()
    assert (guest.answer, guest.comment) == ("declined", "Je suis en commission.")
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_copy_button_copied_twice_gets_its_words_back(visitors: Visitors, organiser: Agent) -> None:
    meeting = factories.meeting(organiser)
    page = visitors.page_as(organiser, reverse("meetings:detail", args=[meeting.public_id]))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.clock.install()
    expect(page.locator("body")).to_have_attribute("data-live-state", "on")
    # The pieces of the page that are read again once the socket is open bring the button's first words with them.
    page.wait_for_load_state("networkidle")
    # The words go by themselves after a moment: none passes while the test looks.
    page.clock.pause_at(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    button = page.locator("[data-copy]")
    for _time in range(2):
        button.click()
        # Read behind what the button writes: once it is there, the button has said so and set its clock.
        assert page.evaluate("navigator.clipboard.readText()").startswith("http")
        expect(button).to_have_text("Lien copié")
    page.clock.fast_forward(4_000)
    expect(button).to_have_text("Copier le lien")


def test_an_address_still_being_looked_at_is_not_lost_by_sending(visitors: Visitors, organiser: Agent) -> None:
    page = visitors.page_as(organiser, PLAN)
    # The server never says what the address means: the person sends the form first.
    page.route("**/planifier/adresses/", lambda route: None)
    page.locator("#id_title").fill("Avec Samir")
    page.get_by_role("combobox", name="Participants").fill("samir@exterieur.example")
    with page.expect_request("**/planifier/adresses/"):
        page.locator("#id_place").focus()
    send(page)
    page.wait_for_url(re.compile(r"/reunions/[0-9a-f-]{36}/$"))
    assert Meeting.objects.get().attendees.filter(email="samir@exterieur.example").exists()
