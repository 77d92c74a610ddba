"""A meeting's room on a real homeserver, read by the people who are invited to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from redis import Redis

from suite.live import push
from suite.local.parts.homeserver import MatrixRefused
from tchap_bridge import owed, tasks
from tchap_bridge.models import RoomState, TchapRoom
from tchap_bridge.rooms import Outcome, reconcile
from tests import factories
from tests.tchap_bridge.fixtures import MakePerson
from tests.tchap_bridge.relay import Relay
from tests.tchap_bridge.rooms import apply, edited, room_of
from visio.meetings.models import ChangeKind
from visio.meetings.scheduling import cancel_meeting
from visio.meetings.tokens import join_url

pytestmark = pytest.mark.django_db


def test_a_new_meeting_has_a_room_named_after_it_with_the_link_in_topic_and_pinned_message(
    relay: Relay, person: MakePerson
) -> None:
    claire, karim = person("Claire"), person("Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent], title="Comité <de> suivi", place="Salle B")

    assert apply(meeting) is Outcome.DONE

    room = room_of(meeting)
    assert karim.invited_to() == claire.invited_to() == [room.room_id]
    karim.join(room.room_id)
    assert karim.state(room.room_id, "m.room.name") == {"name": "Comité <de> suivi"}
    assert join_url(meeting) in karim.state(room.room_id, "m.room.topic")["topic"]
    assert "(Paris)" in karim.state(room.room_id, "m.room.topic")["topic"]
    assert karim.state(room.room_id, "m.room.join_rules") == {"join_rule": "invite"}
    (pinned,) = karim.state(room.room_id, "m.room.pinned_events")["pinned"]
    content = karim.event(room.room_id, pinned)["content"]
    assert content["body"].startswith("Comité <de> suivi\n")
    assert join_url(meeting) in content["body"]
    assert "Salle B" in content["body"]
    assert content["formatted_body"].startswith("<strong>Comité &lt;de&gt; suivi</strong><br>")
    assert content["m.mentions"] == {}
    assert room.state == RoomState.APPLIED


def test_the_second_run_asks_the_homeserver_nothing(relay: Relay, person: MakePerson) -> None:
    claire, stranger = person("Claire"), factories.agent("Sans", "Compte")
    meeting = factories.meeting(claire.agent, guests=[stranger, "dehors@example.org"])
    apply(meeting)
    relay.forget()

    assert apply(meeting) is Outcome.NOTHING
    # Also when something says that the room is behind although it is not: the difference is empty.
    owed.owe_again(room_id=room_of(meeting).pk, now=timezone.now())
    assert apply(meeting) is Outcome.DONE
    assert relay.seen == []


def test_tchap_safe_creation(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    apply(meeting)
    (creation,) = relay.requests("POST", "createRoom")
    assert creation.body["preset"] == "private_chat"
    assert "room_version" not in creation.body
    rules = [state["content"] for state in creation.body["initial_state"] if state["type"].endswith("access_rules")]
    assert rules == [{"rule": "restricted", "force_unencrypted_at_creation": True, "visibility": "private"}]
    levels = creation.body["power_level_content_override"]
    assert (levels["state_default"], levels["invite"], "users" in levels) == (100, 50, False)


def test_the_link_hangs_on_the_meeting_and_stands_once_in_its_history(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    apply(meeting)
    alias = f"#visio-{meeting.public_id.hex}:tchap.localhost"
    assert list(meeting.links.values_list("label", "url")) == [("tchap", f"https://tchap.example/#/room/{alias}")]
    edited(meeting, (), title="Autrement")
    apply(meeting)
    assert meeting.changes.filter(kind=ChangeKind.TCHAP_LINKED).count() == 1


def test_a_rename_is_shown_and_told(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    room_id = room_of(meeting).room_id
    claire.join(room_id)
    (pinned,) = claire.state(room_id, "m.room.pinned_events")["pinned"]
    relay.forget()

    edited(meeting, (), title="Comité restreint")
    apply(meeting)

    assert claire.state(room_id, "m.room.name") == {"name": "Comité restreint"}
    assert claire.messages(room_id)[-1]["body"] == "La réunion s’appelle maintenant « Comité restreint »."
    # The pinned message is edited in place: one name put, one edit and one message sent, nothing else.
    assert claire.state(room_id, "m.room.pinned_events") == {"pinned": [pinned]}
    edit = claire.messages(room_id)[-2]
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": pinned}
    assert edit["m.new_content"]["body"].startswith("Comité restreint\n")
    assert [seen.method for seen in relay.seen] == ["PUT", "PUT", "PUT"]


def test_a_move_is_told_with_both_hours(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    claire.join(room_of(meeting).room_id)

    edited(meeting, (), start_date=meeting.start_date + timedelta(days=1))
    apply(meeting)

    lines = claire.messages(room_of(meeting).room_id)[-1]["body"].splitlines()
    assert lines[0] == "La réunion est déplacée."
    assert lines[1].startswith("Avant : ")
    assert lines[2].startswith("Maintenant : ")
    assert lines[1].removeprefix("Avant : ") != lines[2].removeprefix("Maintenant : ")


def test_two_moves_before_the_homeserver_answers_are_told_as_one(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    apply(meeting)
    claire.join(room_of(meeting).room_id)
    for _time in range(2):
        edited(meeting, (), start_date=meeting.start_date + timedelta(days=1))
        meeting.refresh_from_db()
    apply(meeting)
    told = [message for message in claire.messages(room_of(meeting).room_id) if "déplacée" in message["body"]]
    assert len(told) == 1


def test_a_cancelled_meeting_closes_its_room(relay: Relay, person: MakePerson) -> None:
    claire, karim = person("Claire"), person("Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent])
    apply(meeting)
    room_id = room_of(meeting).room_id
    karim.join(room_id)
    karim.say(room_id, "À demain")

    cancel_meeting(meeting=meeting, by=claire.agent, now=timezone.now())
    assert apply(meeting) is Outcome.DONE

    assert room_of(meeting).state == RoomState.CLOSED
    assert karim.messages(room_id)[-1]["body"].startswith("La réunion est annulée.\n")
    with pytest.raises(MatrixRefused) as refused:
        karim.say(room_id, "Trop tard")
    assert refused.value.status == 403
    # The room stays readable, and the organiser may still write.
    claire.join(room_id)
    claire.say(room_id, "Nous en reparlons lundi")
    assert karim.messages(room_id)[-1]["body"] == "Nous en reparlons lundi"


def test_a_meeting_cancelled_before_its_room_was_made_never_has_one(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    cancel_meeting(meeting=meeting, by=claire.agent, now=timezone.now())
    assert apply(meeting) is Outcome.DONE
    assert (room_of(meeting).state, room_of(meeting).room_id) == (RoomState.CLOSED, "")
    assert relay.seen == []


def test_no_room_for_a_meeting_that_is_over(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent, starts_at=timezone.now() - timedelta(days=1))
    assert apply(meeting) is Outcome.DONE
    assert relay.requests("POST", "createRoom") == []


def test_a_meeting_without_tchap_owes_no_room(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent, wants_tchap=False)
    assert not TchapRoom.objects.filter(meeting=meeting).exists()


def test_tchap_given_up_and_taken_back(relay: Relay, person: MakePerson) -> None:
    claire, karim = person("Claire"), person("Karim")
    meeting = factories.meeting(claire.agent, guests=[karim.agent])
    apply(meeting)
    room_id = room_of(meeting).room_id
    karim.join(room_id)

    edited(meeting, (karim.agent,), wants_tchap=False)
    apply(meeting)
    assert not meeting.links.exists()
    assert room_of(meeting).state == RoomState.CLOSED
    with pytest.raises(MatrixRefused):
        karim.say(room_id, "Encore là")

    edited(meeting, (karim.agent,), wants_tchap=True)
    apply(meeting)
    assert meeting.links.filter(label="tchap").exists()
    assert room_of(meeting).room_id == room_id
    karim.say(room_id, "De nouveau là")


def test_a_change_during_the_run_is_not_lost(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    claim = owed.claim(room_id=room_of(meeting).pk, now=timezone.now())
    assert claim is not None
    edited(meeting, (), title="Entre-temps")
    assert owed.finish(claim, state=RoomState.APPLIED) is True
    assert apply(meeting) is Outcome.DONE
    claire.join(room_of(meeting).room_id)
    assert claire.state(room_of(meeting).room_id, "m.room.name") == {"name": "Entre-temps"}


def test_a_room_that_somebody_works_on_is_left_alone_until_the_lease_ends(relay: Relay, person: MakePerson) -> None:
    meeting = factories.meeting(person().agent)
    now = timezone.now()
    dead = owed.claim(room_id=room_of(meeting).pk, now=now)
    assert dead is not None
    assert reconcile(room_id=room_of(meeting).pk, now=now + owed.LEASE) is Outcome.NOTHING
    late = now + owed.LEASE + timedelta(seconds=1)
    assert owed.due_rooms(now=late, limit=10) == [room_of(meeting).pk]
    assert reconcile(room_id=room_of(meeting).pk, now=late) is Outcome.DONE
    # The first one, should it still live, must not overwrite what the second one wrote.
    with pytest.raises(owed.ClaimLost):
        dead.record(last_error="zombie")
    with pytest.raises(owed.ClaimLost):
        owed.finish(dead, state=RoomState.REFUSED)


def test_the_room_of_a_room_version_12_server_works_too(relay: Relay, person: MakePerson) -> None:
    """Version 12: the creator stands above the power levels and in none of them, and room ids hold no server name."""
    claire = person("Claire")
    meeting = factories.meeting(claire.agent)
    relay.change("POST", "createRoom", lambda body: {**body, "room_version": "12"})
    assert apply(meeting) is Outcome.DONE
    room_id = room_of(meeting).room_id
    assert ":" not in room_id
    claire.join(room_id)
    assert claire.state(room_id, "m.room.power_levels")["users"] == {claire.user_id: 50}


def test_without_a_homeserver_rooms_stay_owed(settings: Settings) -> None:
    settings.MATRIX_HOMESERVER_URL = ""
    meeting = factories.meeting()
    assert apply(meeting) is Outcome.NOTHING
    assert (room_of(meeting).state, room_of(meeting).attempts) == (RoomState.OWED, 0)


def test_open_pages_are_told_when_a_room_opens_and_closes(
    relay: Relay, person: MakePerson, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    claire = person("Claire")
    with django_capture_on_commit_callbacks(execute=True):
        meeting = factories.meeting(claire.agent)
    versions = [push.page_version(claire.agent.pk)]
    with django_capture_on_commit_callbacks(execute=True):
        apply(meeting)
    versions.append(push.page_version(claire.agent.pk))
    with django_capture_on_commit_callbacks(execute=True):
        apply(meeting)
    # Nothing was owed, so nobody was told.
    assert push.page_version(claire.agent.pk) == versions[-1]
    cancel_meeting(meeting=meeting, by=claire.agent, now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        apply(meeting)
    versions.append(push.page_version(claire.agent.pk))
    assert len(set(versions)) == 3


def test_a_meeting_without_a_call_points_to_its_page(relay: Relay, person: MakePerson) -> None:
    claire = person("Claire")
    meeting = factories.meeting(claire.agent, wants_room=False)
    apply(meeting)
    claire.join(room_of(meeting).room_id)
    topic = claire.state(room_of(meeting).room_id, "m.room.topic")["topic"]
    assert topic.endswith(f"/reunions/{meeting.public_id}/")


@pytest.mark.django_db(transaction=True)
def test_a_room_that_changes_while_it_is_made_is_rung_for_again(
    relay: Relay, person: MakePerson, redis_client: Redis, settings: Settings
) -> None:
    meeting = factories.meeting(person("Claire").agent)
    room_id = room_of(meeting).pk
    queue = f"{settings.REDIS_PREFIX}:{settings.CELERY_TASK_DEFAULT_QUEUE}"
    redis_client.flushall()

    def change_meanwhile() -> None:
        """On the relay's thread: another process's transaction, committed while the run goes on."""
        owed.owe_again(room_id=room_id, now=timezone.now())
        connection.close()

    relay.fail("PUT", "m.room.pinned_events", also=change_meanwhile, status=200, body={"event_id": "$pinned"})
    tasks.reconcile_room(room_id)
    assert redis_client.llen(queue) == 1
    tasks.reconcile_room(room_id)
    assert redis_client.llen(queue) == 1
    assert room_of(meeting).state == RoomState.APPLIED


@pytest.mark.django_db(transaction=True)
def test_the_sweep_rings_for_every_room_that_is_due(relay: Relay, redis_client: Redis, settings: Settings) -> None:
    for _number in range(3):
        factories.meeting()
    queue = f"{settings.REDIS_PREFIX}:{settings.CELERY_TASK_DEFAULT_QUEUE}"
    redis_client.flushall()
    tasks.sweep_rooms()
    assert redis_client.llen(queue) == 3
