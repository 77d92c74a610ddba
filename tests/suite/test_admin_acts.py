"""What each act of the administration does, and how it is recorded."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent, PersonalToken
from tchap_bridge.models import RoomState, TchapRoom
from tests import factories
from tests.suite.office import act, address, everything
from visio.meetings.models import Attendee, Delivery, DeliveryState, Meeting
from visio.meetings.tokens import attendee_by_token, link_token

pytestmark = pytest.mark.django_db


def recorded() -> list[str]:
    """What the administration's history says was done."""
    return list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))


def sent(meeting: Meeting, state: DeliveryState = DeliveryState.SENT) -> None:
    Delivery.objects.filter(meeting=meeting).update(
        state=state, sent_at=timezone.now() if state == DeliveryState.SENT else None, attempts=1
    )


def states(meeting: Meeting) -> list[str]:
    return sorted(Delivery.objects.filter(meeting=meeting).values_list("state", flat=True))


def test_resend_invitations(office: Client, meeting: Meeting) -> None:
    sent(meeting)

    assert act(office, "resend_invitations", meeting) == ["2 envois relancés."]
    assert recorded() == ["Envoi relancé"] * 2
    assert states(meeting) == ["owed", "owed"]


def test_retry_what_failed(office: Client, meeting: Meeting) -> None:
    sent(meeting)
    failed = Delivery.objects.filter(meeting=meeting).order_by("pk").first()
    assert failed is not None
    Delivery.objects.filter(pk=failed.pk).update(state=DeliveryState.FAILED)

    assert act(office, "retry_failed", meeting) == ["1 envoi relancé."]
    assert states(meeting) == ["owed", "sent"]
    Delivery.objects.filter(pk=failed.pk).update(state=DeliveryState.FAILED)
    assert act(office, "retry_failed", *Delivery.objects.filter(meeting=meeting)) == ["1 envoi relancé."]
    assert states(meeting) == ["owed", "sent"]


def test_send_one_e_mail_again(office: Client, meeting: Meeting) -> None:
    sent(meeting)
    delivery = Delivery.objects.filter(meeting=meeting).order_by("pk").first()
    assert delivery is not None

    assert act(office, "send_again", delivery) == ["1 envoi relancé."]
    assert act(office, "send_again", delivery) == ["1 envoi est déjà en cours."]


def test_revoke_the_links_of_an_invitation(office: Client, meeting: Meeting) -> None:
    attendee = Attendee.objects.get(meeting=meeting, email="guest@ailleurs.example")
    token = link_token(attendee)

    assert act(office, "revoke_links", attendee) == ["1 lien révoqué."]
    assert recorded() == ["Lien d’invitation révoqué"]
    assert attendee_by_token(token, now=timezone.now()) is None


def test_revoke_tokens(office: Client, meeting: Meeting) -> None:
    token = PersonalToken.objects.get()

    assert act(office, "revoke", token) == ["1 jeton révoqué."]
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert act(office, "revoke", token)[0].startswith("0 ")


def test_revoke_all_tokens_of_an_agent(office: Client, meeting: Meeting) -> None:
    agent = PersonalToken.objects.get().agent

    assert act(office, "revoke_tokens", agent) == ["1 jeton révoqué."]
    assert not PersonalToken.objects.filter(revoked_at=None).exists()


def test_deactivate_agents_but_never_oneself(office: Client, administrator: Agent, meeting: Meeting) -> None:
    agent = PersonalToken.objects.get().agent
    theirs = Client()
    theirs.force_login(agent)

    assert act(office, "deactivate_agents", agent, administrator) == ["1 agent désactivé."]
    assert recorded() == ["Désactivé"]

    assert set(Agent.objects.filter(pk__in=[agent.pk, administrator.pk]).values_list("given_name", "is_active")) == {
        ("Hélène", False),
        ("Ada", True),
    }
    assert not PersonalToken.objects.filter(agent=agent, revoked_at=None).exists()
    response: HttpResponse = theirs.get("/equipe/")  # type: ignore[assignment]
    assert response.status_code == 302, "their session is worth nothing any more"


def test_reactivate_agents(office: Client) -> None:
    agent = factories.agent(is_active=False)

    assert act(office, "reactivate_agents", agent) == ["1 agent réactivé."]
    assert recorded() == ["Réactivé"]
    agent.refresh_from_db()
    assert agent.is_active


def test_reconcile_a_room_now(office: Client, meeting: Meeting) -> None:
    later = timezone.now() + dt.timedelta(hours=5)
    room = TchapRoom.objects.get(meeting=meeting)
    TchapRoom.objects.filter(pk=room.pk).update(state=RoomState.REFUSED, due_at=later, attempts=7)

    assert act(office, "reconcile_now", room) == ["1 salon sera mis à jour."]
    assert recorded() == ["Mise à jour demandée"]

    room.refresh_from_db()
    assert (room.state, room.attempts, room.due_at <= timezone.now()) == (RoomState.OWED, 0, True)


@pytest.mark.parametrize(("answer", "rooms"), [("oui", 1), ("non", 1), (None, 2)])
def test_rooms_that_are_behind(office: Client, administrator: Agent, answer: str | None, rooms: int) -> None:
    TchapRoom.objects.filter(meeting=everything(administrator)).update(wanted=2, applied=1)
    TchapRoom.objects.filter(meeting=everything(administrator)).update(wanted=2, applied=2)

    page = office.get(address(TchapRoom), {"retard": answer} if answer else {})

    assert page.context["cl"].result_count == rooms
