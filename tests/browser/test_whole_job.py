"""The main job, once, from end to end: two agents sign in, one plans, mail, Tchap, presence and call follow by themselves.

Everything is real: identity provider, browsers with a fake camera, Celery, SMTP, homeserver. Mail and rooms are read from outside.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import icalendar
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from suite.agents.models import Agent, Organisation, Team
from tests import factories
from tests.looking import Mailbox, Matrix, MatrixUser
from tests.processes import CeleryProcess
from tests.waiting import until
from visio.meetings.models import Meeting

pytestmark = pytest.mark.timeout(480)
TITLE = "Atelier déploiement – Bretagne"
ANNE = "anne.legoff@bretagne.example"


def sign_in(page: Page, name: str) -> None:
    """Through the ProConnect button and the provider's page, as a person does."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("ProConnect$")).or_(
        page.get_by_role("button", name=re.compile("ProConnect$"))
    ).first.click()
    page.get_by_role("button", name=re.compile(name)).click()
    expect(page.get_by_role("button", name=re.compile(name))).to_be_visible()


def plan(page: Page, starts_at: dt.datetime) -> None:
    """Fill the form: a colleague from the directory, a guest by address."""
    page.get_by_role("link", name="Planifier une réunion").click()
    page.get_by_label("Titre").fill(TITLE)
    page.get_by_label("Date", exact=True).fill(starts_at.date().isoformat())
    page.get_by_label("Début", exact=True).fill(f"{starts_at:%H:%M}")
    people = page.get_by_role("combobox", name="Participants")
    people.fill("karim")
    page.get_by_role("option", name=re.compile("Karim Benali")).click()
    people.fill(ANNE)
    people.press("Enter")
    page.get_by_label("Lieu").fill("Salle Ségur 2.14")
    page.get_by_role("button", name="Envoyer les invitations").click()
    expect(page.get_by_role("heading", level=1, name=TITLE)).to_be_visible()


def calendar_of(mailbox: Mailbox, message: dict[str, Any]) -> tuple[str, icalendar.Event]:
    """METHOD and the event of a message, from the calendar part that clients read."""
    part = message["calendars"][0]
    calendar: Any = icalendar.Calendar.from_ical(part["content"])
    assert part["method"] == str(calendar["METHOD"])
    return str(calendar["METHOD"]), calendar.walk("VEVENT")[0]


def enter_call(page: Page) -> None:
    """From the pre-join page into the call."""
    page.get_by_role("button", name="Rejoindre", exact=True).click()
    expect(page.get_by_role("button", name="Quitter")).to_be_visible()


def frames(page: Page, name: str) -> int:
    """Video frames of `name` that this browser has decoded so far (getStats)."""
    tile = page.locator("[data-person]").filter(has_text=name).first
    return int(tile.get_attribute("data-frames") or 0) if tile.count() else 0


def watch_frames_flow(page: Page, name: str) -> None:
    first = until(lambda: frames(page, name), what=f"a frame of {name}")
    until(lambda: frames(page, name) > first, what=f"more frames of {name}")


def room_of(homeserver: Matrix, title: str) -> str:
    found = until(lambda: homeserver.rooms_named(title), what=f"the room {title}")
    assert len(found) == 1
    return str(found[0]["room_id"])


def texts(member: MatrixUser, room_id: str) -> str:
    return "\n".join(member.texts(room_id))


def test_the_main_job_from_end_to_end(
    visitors: Any,
    identity_provider: str,
    homeserver: Matrix,
    mailbox: Mailbox,
    celery_worker: CeleryProcess,
    celery_beat: CeleryProcess,
) -> None:
    dinum = Organisation.objects.create(name="DINUM", siret="13002526500013", domain="dinum.example")
    claire_agent = factories.agent(
        "Claire", "Morel", organisation=dinum, sub="demo-claire-morel", is_staff=True, is_superuser=True
    )
    team = Team.objects.create(organisation=dinum, name="Portail")
    team.managers.add(claire_agent)
    karim_in_tchap = homeserver.user("karim.benali@dinum.example", "Karim Benali")

    # 1. Both sign in; the first sign-in makes Karim's account, in his team.
    claire, karim = visitors.page_as(None), visitors.page_as(None)
    sign_in(claire, "Claire Morel")
    sign_in(karim, "Karim Benali")
    assert Agent.objects.get(sub="demo-karim-benali").team == team
    expect(karim.get_by_text("Rien à traiter")).to_be_visible()

    # 2. Claire's second tab stays on the dashboard: it sees Karim, and what happens later.
    board = claire.context.new_page()
    board.goto("/")

    # 3. She plans.
    starts_at = timezone.localtime(timezone.now() + dt.timedelta(minutes=3))
    plan(claire, starts_at)
    meeting = Meeting.objects.get()

    # 4. Mail, each its own; the page shows the deliveries as they happen; the Tchap room; Karim's open dashboard.
    expect(claire.get_by_text("Envoyé").locator("visible=true").nth(1)).to_be_visible()
    letters = {address: mailbox.wait(address, count=1)[0] for address in ("karim.benali@dinum.example", ANNE)}
    assert mailbox.count() == 2
    for address, letter in letters.items():
        assert letter["subject"].startswith(f"Invitation : {TITLE}")
        method, event = calendar_of(mailbox, letter)
        assert (method, str(event["UID"])) == ("REQUEST", meeting.uid)
        assert address in str(event["ATTENDEE"]).lower()
    room_id = room_of(homeserver, TITLE)
    until(lambda: room_id in karim_in_tchap.invitations(), what="Karim's invitation in Tchap")
    karim_in_tchap.join(room_id)
    state = karim_in_tchap.state(room_id)
    join_path = f"/visio/{meeting.room.slug}/" if meeting.room else ""
    assert join_path in state["m.room.topic", ""]["topic"]
    assert state["m.room.pinned_events", ""]["pinned"]
    expect(claire.get_by_role("link", name=re.compile("Ouvrir le salon"))).to_be_visible()
    expect(karim.get_by_role("link", name=TITLE).first).to_be_visible()
    expect(board.get_by_role("link", name=TITLE).first).to_be_visible()

    # 5. Karim answers in place, Anne from the e-mail's page; Claire sees both arrive.
    karim.get_by_role("button", name="Accepter").click()
    page_of_anne = visitors.page_as(None)
    answer_link = next(
        link
        for link in re.findall(r"https?://[^\s\"'<>]+/invitation/[^\s\"'<>]+", letters[ANNE]["html"])
        if "reponse" in link
    )
    page_of_anne.goto(answer_link.replace("&amp;", "&"))
    assert {row.answer for row in meeting.attendees.filter(email=ANNE)} == {"needs_action"}, "GET changes nothing"
    page_of_anne.get_by_label(re.compile("^Peut-être")).check(force=True)
    page_of_anne.get_by_label(re.compile("Message")).fill("Je serai en retard.")
    page_of_anne.get_by_role("button", name="Envoyer ma réponse").click()
    expect(page_of_anne.get_by_text("Merci, votre réponse est enregistrée.")).to_be_visible()
    ledger = claire.get_by_role("table")
    expect(ledger.get_by_role("row").filter(has_text="Karim Benali").get_by_text("Accepte")).to_be_visible()
    anne_row = ledger.get_by_role("row").filter(has_text=ANNE)
    expect(anne_row.get_by_text("Peut-être")).to_be_visible()
    expect(anne_row.get_by_text("Je serai en retard.")).to_be_visible()

    # 6. The call: Claire from the meeting's page, Karim from his dashboard, Anne by her link and a name.
    claire.get_by_role("link", name="Rejoindre la réunion").click()
    enter_call(claire)
    karim.get_by_role("link", name="Rejoindre", exact=True).click()
    enter_call(karim)
    watch_frames_flow(claire, "Karim Benali")
    watch_frames_flow(karim, "Claire Morel")
    in_the_room = board.locator("strong", has_text="dans la réunion")
    expect(in_the_room).to_contain_text("2 personnes")
    expect(board.get_by_text(re.compile("^En réunion")).first).to_be_visible()
    page_of_anne.goto(f"{urlsplit(page_of_anne.url).path.rstrip('/')}/rejoindre/")
    page_of_anne.get_by_label(re.compile("Votre nom")).fill("Anne Le Goff")
    enter_call(page_of_anne)
    watch_frames_flow(page_of_anne, "Claire Morel")
    watch_frames_flow(claire, "Anne Le Goff")
    claire.locator("#call").get_by_role("button", name=re.compile("^Micro")).first.click()
    expect(
        karim.locator("[data-person]").filter(has_text="Claire Morel").get_by_text(re.compile("coupé")).first
    ).to_be_attached()
    for page in (page_of_anne, karim, claire):
        page.get_by_role("button", name="Quitter").click()
        expect(page.get_by_text("Vous avez quitté la réunion")).to_be_visible()
    expect(in_the_room).to_have_count(0)

    # 7. Moved and renamed: guests are told, the room renamed, the dashboards follow. Then cancelled.
    karim.goto("/")
    claire.goto(f"/reunions/{meeting.public_id}/")
    claire.get_by_role("link", name="Modifier").first.click()
    claire.get_by_label("Titre").fill(f"{TITLE} (bis)")
    moved_to = starts_at + dt.timedelta(days=1)
    claire.get_by_label("Date", exact=True).fill(moved_to.date().isoformat())
    claire.get_by_role("button", name="Enregistrer et prévenir").click()
    expect(claire.get_by_role("heading", level=1, name=f"{TITLE} (bis)")).to_be_visible()
    update = mailbox.wait(ANNE, count=2)[0]
    assert update["subject"].startswith("Modifié (titre) :")
    method, event = calendar_of(mailbox, update)
    assert (method, event["SEQUENCE"], event["DTSTART"].dt.date()) == ("REQUEST", 1, moved_to.date())
    until(lambda: homeserver.rooms_named(f"{TITLE} (bis)"), what="the room's new name")
    expect(karim.get_by_text(f"{TITLE} (bis)").first).to_be_visible()

    claire.get_by_role("link", name=re.compile("^Annuler")).first.click()
    claire.get_by_role("button", name=re.compile("Annuler la réunion")).click()
    expect(claire.get_by_text(re.compile("annulée")).first).to_be_visible()
    cancellation = mailbox.wait(ANNE, count=3)[0]
    assert cancellation["subject"].startswith("Annulé")
    method, event = calendar_of(mailbox, cancellation)
    assert (method, str(event["STATUS"]), str(event["UID"])) == ("CANCEL", "CANCELLED", meeting.uid)
    until(lambda: "annulée" in texts(karim_in_tchap, room_id), what="the room being told")
    assert mailbox.count() == 6
    expect(karim.get_by_text(f"{TITLE} (bis)")).to_have_count(0)

    # 8. The manager's week; a stranger's 404.
    claire.goto(f"/equipe/?equipe={team.public_id}")
    expect(claire.get_by_role("grid").get_by_text("Karim Benali").first).to_be_visible()
    other = Team.objects.create(organisation=dinum, name="Infrastructure")
    assert karim.goto(f"/equipe/?equipe={other.public_id}").status == 404

    # 9. The admin has it all.
    claire.goto("/admin/visio/meeting/?q=Bretagne")
    expect(claire.get_by_text(f"{TITLE} (bis)").first).to_be_visible()
    claire.goto("/admin/visio/delivery/")
    expect(claire.locator("#result_list tbody tr")).to_have_count(6)
