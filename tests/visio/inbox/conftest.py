"""The listener as a process of its own, and meetings whose invitations carry reply addresses."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from suite.agents.models import Agent
from suite.local import ports
from tests import factories
from tests.conftest import _variables
from tests.looking import Mailbox
from tests.processes import MailListener
from tests.visio.inbox import guests
from tests.visio.meetings.reading import Received, received, send_all
from visio.inbox.acting import receive
from visio.inbox.models import InboundMessage
from visio.meetings.models import Attendee, Meeting

DOMAIN = "reponses.portail.example"
ANNE = "anne@partenaire.example"
BOB = "bob@partenaire.example"


@pytest.fixture
def reply_domain(settings: Any) -> str:
    settings.REPLY_DOMAIN = DOMAIN
    return DOMAIN


@pytest.fixture
def start_listener(
    request: pytest.FixtureRequest, transactional_db: None, reply_domain: str, tmp_path: Path
) -> Iterator[Callable[..., MailListener]]:
    """`start_listener(lmtp=True, options=[…], DATABASE_URL=…)`."""
    with contextlib.ExitStack() as stack:

        def start(lmtp: bool = False, options: tuple[str, ...] = (), **changes: str) -> MailListener:
            port = ports.reserve()
            variables = {**_variables(request), "REPLY_DOMAIN": DOMAIN, **changes}
            part = MailListener(tmp_path / f"inbound-{port}", port, variables, lmtp=lmtp, options=options)
            stack.callback(part.stop)
            part.start()
            return part

        yield start


@pytest.fixture
def listener(start_listener: Callable[..., MailListener]) -> MailListener:
    return start_listener()


@dataclass
class Invited:
    """A meeting that Anne and Bob were invited to, and what Anne's mailbox holds."""

    organiser: Agent
    meeting: Meeting
    mailbox: Mailbox

    @property
    def request(self) -> Received:
        """Anne's newest REQUEST."""
        return [one for one in received(self.mailbox, ANNE) if one.method == "REQUEST"][-1]

    @property
    def anne(self) -> Attendee:
        return Attendee.objects.get(meeting=self.meeting, email=ANNE)

    @property
    def address(self) -> str:
        return str(self.request.event["ORGANIZER"]).removeprefix("mailto:")

    def reply(self, partstat: str = "ACCEPTED", *, headers: dict[str, str] | None = None, **how: Any) -> bytes:
        """Anne's answer to that REQUEST."""
        to, calendar = guests.answer_to(self.request.calendar, ANNE, partstat, **how)
        return guests.letter(ANNE, to, calendar, method=how.get("method", "REPLY"), headers=headers)

    def newest(self) -> InboundMessage:
        return InboundMessage.objects.order_by("-pk")[0]


def invite(mailbox: Mailbox, **fields: Any) -> Invited:
    organiser = factories.agent("Dominique", "Organisatrice")
    meeting = factories.meeting(organiser, guests=[ANNE, BOB], **fields)
    send_all(timezone.now())
    return Invited(organiser, meeting, mailbox)


@pytest.fixture
def invited(reply_domain: str, mailbox: Mailbox, db: None) -> Invited:
    return invite(mailbox)


def take(
    invited: Invited, raw: bytes, *, to: str = "", sender: str = ANNE, now: dt.datetime | None = None
) -> InboundMessage:
    return receive(envelope_from=sender, envelope_to=to or invited.address, raw=raw, now=now or timezone.now())
