"""The live socket under a real daphne: who is let in, what is heard, when it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from suite.agents.models import Agent
from suite.live import presence, push
from tests import factories
from tests.processes import LivePortal
from tests.suite.live.listening import Ear, open_socket, session_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"LIVE_HEARTBEAT_SECONDS": "0.6", "LIVE_GONE_SECONDS": "1.5", "LIVE_SWEEP_SECONDS": "0.4"}


@pytest.fixture
def agent() -> Agent:
    return factories.agent()


# --- who is let in ----------------------------------------------------------------------------------------------
def test_a_foreign_or_missing_origin_is_refused(live_portal: LivePortal, agent: Agent) -> None:
    session_key, port = session_of(agent), live_portal.port
    foreign = [
        None,
        "null",
        "http://evil.example",
        "http://localhost",
        f"https://localhost:{port}",
        f"http://localhost:{port + 1}",
        f"http://localhost.evil.example:{port}",
        f"http://localhost:{port}/",
        f"http://127.0.0.1:{port}",
    ]
    for origin in foreign:
        with pytest.raises(InvalidStatus) as refused:
            open_socket(live_portal, session_key, origin=origin)
        assert (origin, refused.value.response.status_code) == (origin, 403)


def test_an_address_of_nobody_is_refused_quietly(live_portal: LivePortal, agent: Agent) -> None:
    logged = len(live_portal.logged())
    with pytest.raises(InvalidStatus) as refused:
        open_socket(live_portal, session_of(agent), path="/ws/nowhere/")
    assert refused.value.response.status_code == 403
    assert "Traceback" not in live_portal.logged()[logged:]


def closed_at_once(portal: LivePortal, session_key: str) -> tuple[int, list[str]]:
    """The close code, and what was said before."""
    said: list[str] = []
    with open_socket(portal, session_key) as socket:
        try:
            while True:
                said.append(str(socket.recv(timeout=5)))
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else 1006), said


def test_nobody_and_the_inactive_hear_nothing(live_portal: LivePortal, agent: Agent) -> None:
    assert closed_at_once(live_portal, "") == (4401, [])
    assert closed_at_once(live_portal, "a" * 32) == (4401, [])
    session_key = session_of(agent)
    Agent.objects.filter(pk=agent.pk).update(is_active=False)
    assert closed_at_once(live_portal, session_key) == (4401, [])


def test_hello_carries_the_version_of_the_agent(live_portal: LivePortal, agent: Agent) -> None:
    push.nudge([agent.pk], "meetings")
    ear = Ear(live_portal, agent)
    assert abs(ear.hello.pop("now") / 1000 - time.time()) < 5
    assert ear.hello == {
        "type": "hello",
        "version": push.page_version(agent.pk),
        "heartbeat": 25.0,
        "idle": 300.0,
        "paused": False,
    }


# --- hints ------------------------------------------------------------------------------------------------------
def test_a_hint_reaches_every_tab_of_those_it_names_and_nobody_else(live_portal: LivePortal, agent: Agent) -> None:
    tabs = [Ear(live_portal, agent), Ear(live_portal, agent)]
    stranger = Ear(live_portal, factories.agent())
    push.nudge([agent.pk], "meetings")
    for tab in tabs:
        tab.until(lambda tab=tab: tab.topics() == ["meetings"])
        assert tab.version == push.page_version(agent.pk)
    stranger.listen(0.3)
    assert stranger.topics() == []


def test_a_rolled_back_operation_hints_nothing(live_portal: LivePortal, agent: Agent) -> None:
    ear = Ear(live_portal, agent)
    with transaction.atomic():
        push.nudge([agent.pk], "meeting:undone")
        transaction.set_rollback(True)
    push.nudge([agent.pk], "meeting:done")
    ear.until(lambda: "meeting:done" in ear.topics())
    assert ear.topics() == ["meeting:done"]


def test_what_was_missed_shows_in_the_version(live_portal: LivePortal, agent: Agent) -> None:
    """PROMISES 26: a page that comes back knows by its version whether it is still equal to a fresh load."""
    ear = Ear(live_portal, agent)
    page = ear.hello["version"]
    ear.close()
    assert Ear(live_portal, agent).hello["version"] == page
    push.nudge([agent.pk], "meetings")
    back = Ear(live_portal, agent).hello["version"]
    assert back != page
    assert back == push.page_version(agent.pk)


def test_a_lost_hint_shows_at_the_next_heartbeat(live_portal: LivePortal, agent: Agent, redis_client: Any) -> None:
    ear = Ear(live_portal, agent)
    redis_client.set(push.key(f"version:{agent.pk}"), "written-without-a-word")
    ear.say(type="beat", idle_for=0)
    ear.until(lambda: ear.version.endswith(".written-without-a-word"))


def test_a_slow_page_ends_right_after_500_events(live_portal: LivePortal, agent: Agent) -> None:
    """PROMISES 28."""
    slow, quick = Ear(live_portal, agent), Ear(live_portal, agent)
    for number in range(500):
        push.nudge([agent.pk], f"meeting:{number}")
        quick.listen(0.001)
    quick.until(lambda: quick.version == push.page_version(agent.pk))
    slow.until(lambda: slow.version == push.page_version(agent.pk))
    assert set(slow.topics()) == {f"meeting:{number}" for number in range(500)} or slow.resyncs()
    assert len(slow.frames) < 100


# --- presence ---------------------------------------------------------------------------------------------------
def test_only_the_same_organisation_and_shared_meetings_are_seen(live_portal: LivePortal, agent: Agent) -> None:
    colleague = factories.agent(organisation=agent.organisation)
    partner, stranger = factories.agent(), factories.agent()
    factories.meeting(agent, guests=[partner])
    factories.meeting(partner, guests=[stranger])
    gone = factories.agent(organisation=agent.organisation, is_active=False)
    ear = Ear(live_portal, agent)
    ear.watch(agent, colleague, partner, stranger, gone)
    ear.until(lambda: ear.state_of(agent) == "available" and ear.state_of(partner))
    assert [ear.state_of(other) for other in (colleague, partner, stranger, gone)] == ["offline", "offline", "", ""]
    others = [Ear(live_portal, other) for other in (stranger, partner, colleague)]
    ear.until(lambda: ear.state_of(colleague) == "available" and ear.state_of(partner) == "available")
    assert ear.state_of(stranger) == ""
    assert len(others) == 3


def test_a_meeting_no_longer_shared_takes_presence_back(start_portal: Callable[..., LivePortal], agent: Agent) -> None:
    portal = start_portal(LIVE_SWEEP_SECONDS="0.4")
    partner = factories.agent()
    meeting = factories.meeting(agent, guests=[partner])
    ear = Ear(portal, agent)
    ear.watch(partner)
    ear.until(lambda: ear.state_of(partner) == "offline")
    meeting.attendees.filter(agent=partner).delete()
    push.nudge([agent.pk], "meetings")
    ear.until(lambda: ear.state_of(partner) is None)
    assert Ear(portal, partner).hello["version"]
    ear.listen(1)
    assert ear.state_of(partner) is None


def test_several_tabs_are_one_person(start_portal: Callable[..., LivePortal], agent: Agent) -> None:
    portal = start_portal()
    colleague = factories.agent(organisation=agent.organisation)
    viewer, desk, phone = Ear(portal, agent), Ear(portal, colleague), Ear(portal, colleague)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "available")
    desk.say(type="beat", idle_for=400)
    phone.close()
    viewer.until(lambda: viewer.state_of(colleague) == "away", 10)
    desk.say(type="beat", idle_for=0)
    viewer.until(lambda: viewer.state_of(colleague) == "available")
    desk.close()
    viewer.until(lambda: viewer.state_of(colleague) == "offline", 10)
    told = [frame["presence"] for frame in viewer.frames if "presence" in frame]
    assert len(told) == 4


def test_presence_comes_in_the_viewers_language_and_zone(live_portal: LivePortal, agent: Agent) -> None:
    colleague = factories.agent(organisation=agent.organisation)
    viewer = Ear(live_portal, agent)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "offline")
    presence.choose(agent=colleague, state="do_not_disturb", until=None, now=timezone.now())
    Ear(live_portal, colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "do_not_disturb")
    told = next(frame["presence"] for frame in reversed(viewer.frames) if "presence" in frame)
    assert told == {str(colleague.public_id): {"state": "do_not_disturb", "words": "Ne pas déranger"}}


def test_a_choice_and_a_call_show_at_once(live_portal: LivePortal, agent: Agent) -> None:
    colleague = factories.agent(organisation=agent.organisation)
    viewer, own = Ear(live_portal, agent), Ear(live_portal, colleague)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "available")
    presence.choose(agent=colleague, state="away", until=None, now=timezone.now())
    viewer.until(lambda: viewer.state_of(colleague) == "away")
    own.until(lambda: "presence-self" in own.topics())
    presence.enter_call(colleague.pk, 1, "browser")
    viewer.until(lambda: viewer.state_of(colleague) == "in_meeting")
    presence.leave_call(colleague.pk, 1, "browser")
    viewer.until(lambda: viewer.state_of(colleague) == "away")


def test_a_page_that_comes_back_idle_does_not_flash_green(live_portal: LivePortal, agent: Agent) -> None:
    colleague = factories.agent(organisation=agent.organisation)
    viewer = Ear(live_portal, agent)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "offline")
    Ear(live_portal, colleague, query="?idle_for=900")
    viewer.until(lambda: viewer.state_of(colleague) == "away")
    told = [frame["presence"][str(colleague.public_id)]["state"] for frame in viewer.frames if "presence" in frame]
    assert told == ["offline", "away"]


def test_a_half_open_connection_is_gone_in_time(start_portal: Callable[..., LivePortal], agent: Agent) -> None:
    """PROMISES 27, in small: gone LIVE_GONE_SECONDS + LIVE_SWEEP_SECONDS after the last sign, and no sooner than asked."""
    portal = start_portal(**QUICK)
    colleague = factories.agent(organisation=agent.organisation)
    viewer, dead = Ear(portal, agent), Ear(portal, colleague)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "available")
    dead.until(lambda: any(frame["type"] == "alive?" for frame in dead.frames))

    def gone() -> bool:
        viewer.say(type="beat", idle_for=0)
        viewer.listen(0.2)
        return bool(viewer.state_of(colleague) == "offline")

    until(gone, 4)
    assert dead.until_closed() == 4408


def test_the_default_times_keep_promise_27(settings: Any) -> None:
    assert settings.LIVE_GONE_SECONDS + settings.LIVE_SWEEP_SECONDS < 70
    assert settings.LIVE_HEARTBEAT_SECONDS * 2 < settings.LIVE_GONE_SECONDS


def test_a_killed_server_leaves_nobody_behind(start_portal: Callable[..., LivePortal], agent: Agent) -> None:
    one, other = start_portal(**QUICK), start_portal(**QUICK)
    colleague = factories.agent(organisation=agent.organisation)
    viewer = Ear(one, agent)
    Ear(other, colleague)
    viewer.watch(colleague)
    viewer.until(lambda: viewer.state_of(colleague) == "available")
    other.kill()

    def gone() -> bool:
        viewer.say(type="beat", idle_for=0)
        viewer.listen(0.2)
        return bool(viewer.state_of(colleague) == "offline")

    until(gone, 5)


# --- bad frames -------------------------------------------------------------------------------------------------
def test_malformed_frames_end_the_conversation_quietly(live_portal: LivePortal, agent: Agent) -> None:
    session_key, logged = session_of(agent), len(live_portal.logged())
    malformed: list[tuple[str | bytes, int]] = [
        ("not json", 4400),
        ('{"type": "beat"', 4400),
        ("[]", 4400),
        ("3", 4400),
        ("[" * 60_000, 4400),
        ("9" * 5_000, 4400),
        (b"\x00\x01", 4415),
        ("x" * (64 * 1024 + 1), 4413),
        ('"' + "é" * (40 * 1024) + '"', 4413),
    ]
    for frame, code in malformed:
        ear = Ear(live_portal, agent, session_key=session_key)
        ear.socket.send(frame)
        assert (frame[:20], ear.until_closed()) == (frame[:20], code)
    ear = Ear(live_portal, agent, session_key=session_key)
    ear.socket.send("x" * (2 * 1024 * 1024))
    assert ear.until_closed() in (1006, 1009)  # The server below cuts the line in the middle of the frame.
    assert "Traceback" not in live_portal.logged()[logged:]


def test_frames_of_no_sense_are_answered_and_forgotten(live_portal: LivePortal, agent: Agent) -> None:
    ear = Ear(live_portal, agent)
    senseless: list[tuple[dict[str, Any], str]] = [
        ({"type": "shout"}, "unknown-type"),
        ({}, "unknown-type"),
        ({"type": ["beat"]}, "unknown-type"),
        ({"type": "beat"}, "bad-fields"),
        ({"type": "beat", "idle_for": "long"}, "bad-fields"),
        ({"type": "beat", "idle_for": -1}, "bad-fields"),
        ({"type": "beat", "idle_for": float("nan")}, "bad-fields"),
        ({"type": "ack", "ack": "all"}, "bad-fields"),
        ({"type": "watch", "agents": "everybody"}, "bad-fields"),
        ({"type": "watch", "agents": ["' OR 1=1"]}, "bad-fields"),
        ({"type": "watch", "agents": ["x"] * 501}, "bad-fields"),
    ]
    for number, (frame, _reason) in enumerate(senseless, start=1):
        ear.socket.send(json.dumps(frame))
        ear.until(lambda number=number: len([said for said in ear.frames if said["type"] == "error"]) == number)
    errors = [said["reason"] for said in ear.frames if said["type"] == "error"]
    assert errors == [reason for _frame, reason in senseless]
    ear.say(type="beat", idle_for=10**300)
    ear.until(lambda: any(said.get("beat") for said in ear.frames))


def test_a_flood_is_cut_off(live_portal: LivePortal, agent: Agent) -> None:
    ear = Ear(live_portal, agent)
    for _number in range(60):
        ear.say(type="beat", idle_for=0)
    assert ear.until_closed() == 4429


def test_an_agent_cannot_hold_sockets_without_end(live_portal: LivePortal, agent: Agent) -> None:
    session_key = session_of(agent)
    ears = [Ear(live_portal, agent, session_key=session_key) for _number in range(50)]
    assert closed_at_once(live_portal, session_key) == (4429, [])
    ears[0].close()
    until(lambda: closed_at_once_or_open(live_portal, session_key), 5)


def closed_at_once_or_open(portal: LivePortal, session_key: str) -> bool:
    with open_socket(portal, session_key) as socket:
        try:
            return bool(json.loads(socket.recv(timeout=5))["type"] == "hello")
        except ConnectionClosed:
            return False


# --- the end ----------------------------------------------------------------------------------------------------
def test_signing_out_closes_every_tab_of_the_session_within_5_s(live_portal: LivePortal, agent: Agent) -> None:
    browser = Client(HTTP_HOST=f"localhost:{live_portal.port}")
    browser.force_login(agent)
    session_key = browser.cookies["sessionid"].value
    tabs = [Ear(live_portal, agent, session_key=session_key) for _number in range(2)]
    elsewhere = Ear(live_portal, agent)
    browser.logout()
    assert [tab.until_closed(5) for tab in tabs] == [4401, 4401]
    elsewhere.listen(0.5)
    assert elsewhere.close_code is None


def test_losing_the_account_closes_within_5_s(live_portal: LivePortal, agent: Agent) -> None:
    ear = Ear(live_portal, agent)
    agent.is_active = False
    agent.save()
    assert ear.until_closed(5) == 4403


def test_what_is_done_behind_the_portals_back_closes_within_5_s(live_portal: LivePortal, agent: Agent) -> None:
    other, third = factories.agent(), factories.agent()
    deactivated, removed, expired = Ear(live_portal, agent), Ear(live_portal, other), Ear(live_portal, third)
    Agent.objects.filter(pk=agent.pk).update(is_active=False)
    Session.objects.filter(pk=removed.session_key).delete()
    Session.objects.filter(pk=expired.session_key).update(expire_date=timezone.now())
    assert deactivated.until_closed(5) == 4403
    assert removed.until_closed(5) == 4401
    assert expired.until_closed(5) == 4401


def test_a_deleted_agent_is_closed(live_portal: LivePortal, agent: Agent) -> None:
    ear = Ear(live_portal, agent)
    agent.delete()
    assert ear.until_closed(5) in (4401, 4403)


# --- the hub itself ---------------------------------------------------------------------------------------------
def test_noise_on_the_channel_is_passed_over(live_portal: LivePortal, agent: Agent, redis_client: Any) -> None:
    ear = Ear(live_portal, agent)
    for noise in ("not json", "[]", '{"k": "hint"}', '{"k": "song", "a": [1]}'):
        redis_client.publish(push.channel(), noise)
    push.nudge([agent.pk], "meetings")
    ear.until(lambda: ear.topics() == ["meetings"])


def test_a_hub_that_fails_is_replaced_and_everybody_comes_back(
    start_portal: Callable[..., LivePortal], agent: Agent, redis_client: Any
) -> None:
    portal = start_portal()
    ear = Ear(portal, agent)
    redis_client.publish(push.channel(), '{"k": "hint", "a": [["no agent"]], "t": "meetings", "v": "1"}')
    assert ear.until_closed() == 4503
    assert "the hub failed" in portal.logged()
    again = Ear(portal, agent, session_key=ear.session_key)
    push.nudge([agent.pk], "meetings")
    again.until(lambda: again.topics() == ["meetings"])
