"""Who is in a meeting's room: which account is whose, who is invited, who is taken out, who may do what there."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from suite.local.parts.homeserver import MatrixRefused
from tchap_bridge import owed
from tchap_bridge.models import MemberState
from tchap_bridge.rooms import Outcome, reconcile
from tests import factories
from tests.looking import Matrix
from tests.tchap_bridge.fixtures import MakePerson
from tests.tchap_bridge.relay import Relay
from tests.tchap_bridge.rooms import apply, edited, members, room_of

pytestmark = pytest.mark.django_db


def test_the_organiser_may_invite_but_not_rename(relay: Relay, person: MakePerson) -> None:
    claire, friend = person("Claire"), person("Friend")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    claire.call("POST", f"/rooms/{room_id}/invite", {"user_id": friend.user_id})
    assert friend.invited_to() == [room_id]
    with pytest.raises(MatrixRefused) as refused:
        claire.call("PUT", f"/rooms/{room_id}/state/m.room.name", {"name": "À moi"})
    assert refused.value.status == 403


def test_whoever_leaves_the_meeting_leaves_the_room(relay: Relay, person: MakePerson) -> None:
    claire, karim, sophie = person("Claire"), person("Karim"), person("Sophie")
    meeting = factories.meeting(claire.agent, guests=[karim.agent, sophie.agent])
    apply(meeting)
    room_id = room_of(meeting).room_id
    karim.join(room_id)
    sophie.join(room_id)

    edited(meeting, (karim.agent,))
    apply(meeting)

    assert karim.state(room_id, "m.room.member", sophie.user_id)["membership"] == "leave"
    assert members(meeting)[sophie.agent.pk] == MemberState.REMOVED
    # And back again.
    edited(meeting, (karim.agent, sophie.agent))
    apply(meeting)
    assert sophie.invited_to() == [room_id]


def test_only_whom_the_portal_invited_is_taken_out(relay: Relay, person: MakePerson) -> None:
    claire, sophie = person("Claire"), person("Sophie")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    claire.call("POST", f"/rooms/{room_id}/invite", {"user_id": sophie.user_id})
    sophie.join(room_id)

    edited(meeting, (sophie.agent,))
    apply(meeting)
    assert members(meeting)[sophie.agent.pk] == MemberState.PRESENT
    edited(meeting, ())
    apply(meeting)

    assert claire.state(room_id, "m.room.member", sophie.user_id)["membership"] == "join"


def test_whoever_left_by_themselves_is_not_called_back(relay: Relay, person: MakePerson) -> None:
    claire, karim = person("Claire"), person("Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent])
    apply(meeting)
    karim.join(room_of(meeting).room_id)
    karim.leave(room_of(meeting).room_id)
    edited(meeting, (karim.agent,), title="Autre titre")
    apply(meeting)
    assert karim.invited_to() == []
    # Taking them off the meeting afterwards is no error: they are out already.
    edited(meeting, ())
    assert apply(meeting) is Outcome.DONE


def test_an_attendee_without_an_account_is_left_out_and_looked_up_again_later(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    claire, late = person("Claire"), factories.agent("Tardive")
    meeting = factories.meeting(claire.agent, guests=[late], starts_at=timezone.now() + timedelta(days=3))
    apply(meeting)
    assert members(meeting) == {claire.agent.pk: MemberState.INVITED, late.pk: MemberState.NO_ACCOUNT}

    homeserver.user(late.email)
    later = timezone.now() + owed.LOOK_AGAIN + timedelta(minutes=1)
    owed.owe_look_ups(now=later)
    assert reconcile(room_id=room_of(meeting).pk, now=later) is Outcome.DONE

    assert members(meeting)[late.pk] == MemberState.INVITED


def test_a_disabled_agent_is_not_invited(relay: Relay, person: MakePerson) -> None:
    claire, gone = person("Claire"), person("Partie")
    meeting = factories.meeting(claire.agent, guests=[gone.agent])
    gone.agent.is_active = False
    gone.agent.save()
    apply(meeting)
    assert gone.invited_to() == []


def test_many_attendees_are_invited_over_several_runs(relay: Relay, person: MakePerson) -> None:
    people = [person(f"Agent{number}") for number in range(4)]
    meeting = factories.meeting(people[0].agent, guests=[one.agent for one in people[1:]])
    room_id = room_of(meeting).pk
    assert reconcile(room_id=room_id, now=timezone.now(), most_invited=2) is Outcome.AGAIN
    assert reconcile(room_id=room_id, now=timezone.now(), most_invited=2) is Outcome.DONE
    assert [one.invited_to() for one in people] == [[room_of(meeting).room_id]] * 4


def test_an_address_of_another_ministry_is_not_guessed_here(
    relay: Relay, person: MakePerson, homeserver: Matrix
) -> None:
    """Tchap's directory names another homeserver: an account of that name on ours is not theirs."""
    claire, other = person("Claire"), person("Karim")
    answer = {"hs": "agent.interieur.example"}
    relay.fail("GET", f"/identity/api/v1/info.*{other.agent.email.split('@')[0]}", status=200, body=answer)
    meeting = factories.meeting(claire.agent, guests=[other.agent])
    apply(meeting)
    assert members(meeting)[other.agent.pk] == MemberState.NO_ACCOUNT


def test_a_found_account_is_remembered_on_the_agent(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    apply(factories.meeting(claire.agent))
    claire.agent.refresh_from_db()
    assert claire.agent.matrix_id == claire.user_id
    relay.forget()
    apply(factories.meeting(claire.agent))
    assert relay.requests("GET", "/identity/") == []


def test_an_account_set_by_hand_is_used_when_it_exists(relay: Relay, person: MakePerson) -> None:
    claire, renamed = person("Claire"), person("Renommée")
    claire.agent.matrix_id = renamed.user_id
    claire.agent.save()
    apply(factories.meeting(claire.agent))
    assert (len(renamed.invited_to()), claire.invited_to()) == (1, [])


def test_two_agents_are_never_given_one_account(relay: Relay, person: MakePerson) -> None:
    """a-b@c and a@b-c derive to the same name: it belongs to whom it was given first."""
    token = uuid.uuid4().hex[:8]
    claire = person("Claire", email=f"claire-x.{token}@dinum.example")
    twin = factories.agent(email=f"claire@x.{token}-dinum.example")
    meeting = factories.meeting(claire.agent, guests=[twin])
    apply(meeting)
    assert members(meeting) == {claire.agent.pk: MemberState.INVITED, twin.pk: MemberState.NO_ACCOUNT}


def test_one_who_cannot_be_invited_does_not_keep_the_others_out(relay: Relay, person: MakePerson) -> None:
    claire, barred, karim = person("Claire"), person("Barred"), person("Karim")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    claire.call("POST", f"/rooms/{room_id}/ban", {"user_id": barred.user_id})

    edited(meeting, (barred.agent, karim.agent))
    assert apply(meeting) is Outcome.DONE

    assert members(meeting)[barred.agent.pk] == MemberState.REFUSED
    assert karim.invited_to() == [room_id]
    relay.forget()
    owed.owe_again(room_id=room_of(meeting).pk, now=timezone.now())
    apply(meeting)
    assert relay.seen == []


def test_an_account_written_wrongly_by_hand_is_no_account(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    odd = factories.agent(matrix_id="claire chez tchap")
    meeting = factories.meeting(claire.agent, guests=[odd])
    assert apply(meeting) is Outcome.DONE
    assert members(meeting)[odd.pk] == MemberState.NO_ACCOUNT
