"""The demonstration data: complete, safe to repeat, and never mailed."""

import datetime as dt
import io
import zoneinfo
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from suite.agents.folding import fold
from suite.agents.models import Agent, Organisation, Team
from suite.agents.permissions import teams_managed_by
from suite.portal.demo import Loaded, load_demo
from suite.portal.demo_plan import Person, plan_day, plan_moment, window
from tests.looking import Mailbox
from visio.calendars.day import dashboard_day
from visio.meetings.invitations import deliver
from visio.meetings.models import Answer, Attendee, Delivery, DeliveryState, Meeting, Occurrence, Privacy
from visio.meetings.searching import Filters, search_meetings
from visio.places.models import Resource, ResourceBooking

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
YEAR = dt.timedelta(days=365)
TUESDAY = dt.datetime(2026, 11, 24, 9, 50, tzinfo=PARIS)


def by_sub(name: str) -> Agent:
    return Agent.objects.get(sub=f"demo-{name}")


@pytest.mark.django_db
def test_the_first_load_brings_everything(settings: Any) -> None:
    settings.MATRIX_SERVER_NAME = "tchap.example"

    loaded = load_demo(now=TUESDAY)

    assert (loaded.organisations, loaded.agents) == (3, 40)
    assert loaded.meetings > 300
    assert Team.objects.filter(members=None).count() == 0
    assert Team.objects.filter(managers=None).count() == 0
    claire = by_sub("claire-morel")
    assert (claire.is_staff, claire.is_superuser, claire.matrix_id) == (
        True,
        True,
        "@claire.morel-dinum.example:tchap.example",
    )
    assert [team.name for team in teams_managed_by(claire)] == ["Portail"]
    assert by_sub("thomas-petit").matrix_id == "", "somebody is without an account"
    assert Agent.objects.filter(is_staff=True).count() == 1
    assert not Organisation.objects.filter(is_demo=False).exists()
    assert not Meeting.objects.filter(is_demo=False).exists()


@pytest.mark.django_db
def test_every_meeting_is_found_by_its_title_with_or_without_accents() -> None:
    load_demo(now=TUESDAY)
    claire = by_sub("claire-morel")
    mine = Meeting.objects.filter(attendees__agent=claire).exclude(attendees__only_occurrence__isnull=False)
    titles = {title for title in mine.values_list("title", flat=True) if any(ord(letter) > 127 for letter in title)}
    assert titles
    for title in titles:
        for asked in (title, fold(title)):
            found = search_meetings(claire, asked, filters=Filters(TUESDAY - YEAR, TUESDAY + YEAR), now=TUESDAY)
            assert title in {one.title for one in found.meetings}, asked


@pytest.mark.django_db
def test_the_second_load_changes_nothing() -> None:
    load_demo(now=TUESDAY)
    before = [list(model.objects.order_by("pk").values()) for model in (Agent, Meeting, Attendee, Delivery)]

    assert load_demo(now=TUESDAY + dt.timedelta(minutes=3)) == Loaded(0, 0, 0)

    assert [list(model.objects.order_by("pk").values()) for model in (Agent, Meeting, Attendee, Delivery)] == before


@pytest.mark.django_db
def test_what_was_edited_stays_as_it_was_left() -> None:
    load_demo(now=TUESDAY)
    Agent.objects.filter(sub="demo-karim-benali").update(language="de", team=None)
    Meeting.objects.filter(title="Comité produit").update(title="Comité renommé")

    assert load_demo(now=TUESDAY) == Loaded(0, 0, 0)

    assert (by_sub("karim-benali").language, by_sub("karim-benali").team) == ("de", None)
    assert not Meeting.objects.filter(title="Comité produit").exists()


@pytest.mark.django_db
def test_a_new_day_fills_the_window() -> None:
    load_demo(now=TUESDAY)

    assert load_demo(now=TUESDAY + dt.timedelta(days=7)).meetings > 100

    last = Occurrence.objects.filter(meeting__is_series=False).order_by("-starts_at")[0].starts_at
    assert last.astimezone(PARIS).date() == dt.date(2026, 12, 11)


@pytest.mark.django_db
def test_a_homeserver_named_later_gives_the_accounts(settings: Any) -> None:
    settings.MATRIX_SERVER_NAME = ""
    load_demo(now=TUESDAY)
    settings.MATRIX_SERVER_NAME = "tchap.example"

    load_demo(now=TUESDAY)

    assert Agent.objects.exclude(matrix_id="").count() == 38


@pytest.mark.django_db
def test_an_agent_who_signed_in_before_is_left_alone() -> None:
    home = Organisation.objects.create(name="DINUM", siret="13002526500013")
    known = Agent.objects.create_user(
        "demo-claire-morel", "claire.morel@dinum.example", given_name="Claire", organisation=home
    )

    loaded = load_demo(now=TUESDAY)

    assert (loaded.organisations, loaded.agents) == (2, 39)
    known.refresh_from_db()
    assert (known.is_superuser, known.is_demo) == (False, False)


@pytest.mark.django_db
def test_nothing_is_mailed(mailbox: Mailbox) -> None:
    load_demo(now=TUESDAY)

    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT, DeliveryState.FAILED}
    deliver(now=timezone.now())
    assert mailbox.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("days", range(7), ids=["Tu", "We", "Th", "Fr", "Sa", "Su", "Mo"])
def test_every_days_dashboard_is_worth_showing(days: int) -> None:
    now = TUESDAY + dt.timedelta(days=days)
    load_demo(now=now)

    day = dashboard_day(by_sub("claire-morel"), now)

    assert len(day.blocks) >= 4
    assert day.running is not None
    assert day.next is not None
    assert Attendee.objects.unanswered_by(by_sub("claire-morel"), now=now).count() >= 3


@pytest.mark.django_db
def test_claires_day_has_something_of_everything() -> None:
    load_demo(now=TUESDAY)

    day = dashboard_day(by_sub("claire-morel"), TUESDAY)

    assert {str(block.kind) for block in day.blocks} == {"past", "accepted", "tentative", "unanswered"}
    assert any(block.overlaps for block in day.blocks)
    assert day.running is not None
    assert day.next is not None
    assert day.next.entry.starts_at - TUESDAY <= dt.timedelta(minutes=30)
    for name in ("claire-morel", "karim-benali"):
        waiting = Attendee.objects.unanswered_by(by_sub(name), now=TUESDAY)
        assert waiting.count() >= 3


@pytest.mark.django_db
def test_meetings_are_of_every_sort() -> None:
    load_demo(now=TUESDAY)

    assert set(Attendee.objects.values_list("answer", flat=True)) == {str(answer) for answer in Answer}
    assert Attendee.objects.filter(agent=None).exists(), "external guests"
    assert Meeting.objects.filter(privacy=Privacy.PRIVATE).count() > 20
    assert not Attendee.objects.filter(answer=Answer.NEEDS_ACTION, answered_at__isnull=False).exists()
    assert not Attendee.objects.exclude(answer=Answer.NEEDS_ACTION).filter(answered_at=None).exists()
    assert not Attendee.objects.filter(answered_at__gt=TUESDAY).exists()
    for attendee in Attendee.objects.select_related("meeting")[:50]:
        [occurrence] = attendee.meeting.occurrences.all()
        assert (attendee.starts_at, attendee.ends_at) == (occurrence.starts_at, occurrence.ends_at)


@pytest.mark.django_db
@pytest.mark.parametrize(("homeserver", "rooms"), [("", 0), ("https://matrix.example", 2)])
def test_tchap_rooms_are_few(settings: Any, homeserver: str, rooms: int) -> None:
    settings.MATRIX_HOMESERVER_URL = homeserver

    load_demo(now=TUESDAY)

    wanted = Meeting.objects.filter(wants_tchap=True)
    assert wanted.count() == rooms
    assert all(meeting.occurrences.get().ends_at > TUESDAY for meeting in wanted)


@pytest.mark.django_db
def test_the_command_says_what_it_did() -> None:
    out = io.StringIO()

    call_command("load_demo", stdout=out)

    assert "40 agents" in out.getvalue()


PEOPLE = [
    Person(f"{name}@dinum.example", name, "Portail", "dinum.example", "Europe/Paris", is_manager=False)
    for name in ("claire.morel", "karim.benali", "sophie.lambert", "lea.nguyen", "thomas.petit")
]
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31))


@given(DAYS)
def test_the_window_is_about_two_weeks_of_weekdays_with_today_inside(today: dt.date) -> None:
    days = window(today)

    assert all(day.weekday() < 5 or day == today for day in days)
    assert 10 <= len(days) <= 16
    assert today in days
    assert days == sorted(set(days))


@given(DAYS)
def test_planning_a_day_twice_gives_the_same_day(day: dt.date) -> None:
    planned = plan_day(PEOPLE, day)

    assert planned == plan_day(PEOPLE, day)
    assert len({(plan.organiser, plan.key) for plan in planned}) == len(planned)
    assert all(plan.organiser not in {guest.email for guest in plan.guests} for plan in planned)
    assert all(len({guest.email for guest in plan.guests}) == len(plan.guests) for plan in planned)


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 12, 31)))  # noqa: DTZ001  a wall clock in Paris
def test_there_is_always_something_soon(wall: dt.datetime) -> None:
    now = wall.replace(tzinfo=PARIS)
    moment = plan_moment(PEOPLE, now)

    if (now.hour, now.minute) >= (22, 30):
        assert moment == []
        return
    soon = dt.datetime.combine(moment[0].date, moment[0].time, PARIS).replace(tzinfo=None)
    assert dt.timedelta(minutes=15) <= soon - wall <= dt.timedelta(minutes=30)
    assert (len(moment) == 2) == (8 <= now.hour < 18)


@pytest.mark.django_db
def test_rooms_are_lent_and_one_request_waits() -> None:
    load_demo(now=TUESDAY)
    assert set(Resource.objects.values_list("organisation__name", flat=True)) == {
        "DINUM",
        "Préfecture du Finistère",
        "Région Bretagne",
    }
    claire = by_sub("claire-morel")
    waiting = ResourceBooking.objects.filter(status="pending", during__startswith__gt=TUESDAY)
    assert waiting.filter(resource__managers=claire).exists()
    assert ResourceBooking.objects.filter(status="accepted").count() > 50
    before = list(ResourceBooking.objects.order_by("pk").values())
    load_demo(now=TUESDAY)
    assert list(ResourceBooking.objects.order_by("pk").values()) == before
