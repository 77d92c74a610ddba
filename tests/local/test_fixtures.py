"""The fixtures themselves, on real parts: what other tests rest on."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage

from tests import factories
from tests.looking import Mailbox, Matrix
from tests.processes import CeleryProcess, LivePortal, fetch
from tests.waiting import until


def test_mail_of_this_process_reaches_the_mailbox(mailbox: Mailbox) -> None:
    EmailMessage("Objet", "Corps", "a@portail.example", ["claire@dinum.example"]).send()

    [message] = mailbox.wait("claire@dinum.example")

    assert (message["subject"], message["text"]) == ("Objet", "Corps\r\n")


def test_a_room_is_seen_by_its_member_and_from_outside(homeserver: Matrix) -> None:
    claire = homeserver.user("claire.morel@dinum.example", "Claire Morel")
    invite = {"name": "Comité", "invite": [claire.mxid]}
    room = str(homeserver.as_bot.call("POST", "/createRoom", invite)["room_id"])
    claire.join(room)
    homeserver.as_bot.say(room, "Bonjour")

    assert claire.state(room)["m.room.name", ""] == {"name": "Comité"}
    assert claire.texts(room) == ["Bonjour"]
    assert homeserver.members(room) == {homeserver.bot: "join", claire.mxid: "join"}


def test_the_portal_and_the_test_see_the_same_rows(live_portal: LivePortal) -> None:
    assert live_portal.url == settings.PORTAL_URL
    assert fetch(f"{live_portal.url}/__lbheartbeat__")


def test_the_worker_serves_the_queue_that_this_process_rings(celery_worker: CeleryProcess) -> None:
    from suite.celery import app

    app.send_task("visio.sweep_deliveries")

    until(lambda: "visio.sweep_deliveries" in celery_worker.logged())


def test_a_page_is_signed_in(browser_page_as: Callable[..., Any]) -> None:
    agent = factories.agent("Claire", "Morel")

    page = browser_page_as(agent, "/")

    assert "Claire" in page.content()


def test_waiting_tells_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"not within 0.1 s: three \(seen last: 0\)"):
        until(lambda: 0, 0.1, what="three")
