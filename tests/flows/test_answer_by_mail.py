"""An invitation is answered from the guest's own mail program, and the organiser sees it happen.

Everything is real: worker, SMTP both ways, a browser on the organiser's page. The guest's program is icalendar and smtplib.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests import factories
from tests.looking import Mailbox
from tests.processes import CeleryProcess, MailListener
from tests.visio.inbox import guests
from tests.visio.inbox.conftest import ANNE, DOMAIN, reply_domain, start_listener
from tests.visio.meetings.reading import read
from visio.meetings.models import Meeting

__all__ = ["reply_domain", "start_listener"]

pytestmark = pytest.mark.timeout(300)


def test_a_guest_answers_and_counters_from_their_mail_program(
    browser_page_as: Callable[..., Any],
    mailbox: Mailbox,
    start_celery: Callable[..., CeleryProcess],
    start_listener: Callable[..., MailListener],
) -> None:
    start_celery("worker", "--concurrency", "1", "--without-mingle", variables={"REPLY_DOMAIN": DOMAIN})
    listener = start_listener()
    organiser = factories.agent("Claire", "Morel")
    starts_at = timezone.now().replace(second=0, microsecond=0) + dt.timedelta(days=3)
    meeting = factories.meeting(organiser, guests=[ANNE], starts_at=starts_at, title="Comité des outils")
    page = browser_page_as(organiser, f"/reunions/{meeting.public_id}/")
    row = page.get_by_role("row", name=re.compile(re.escape(ANNE)))
    expect(row).to_contain_text("Sans réponse")

    [received] = mailbox.wait(ANNE, seconds=60)
    request = read(mailbox.raw(received["id"]))
    organiser_line = request.event["ORGANIZER"]
    assert str(organiser_line).endswith(f"@{DOMAIN}")
    assert organiser_line.params["EMAIL"] == organiser.email

    to, answer = guests.answer_to(request.calendar, ANNE, "DECLINED", comment="En congé ce jour-là")
    assert guests.send(listener.port, guests.letter(ANNE, to, answer), sender=ANNE, to=to)[0] == 250
    expect(row).to_contain_text("Décline")
    expect(row).to_contain_text("En congé ce jour-là")

    crasher = "carole@ailleurs.example"
    to, answer = guests.answer_to(request.calendar, crasher)
    assert guests.send(listener.port, guests.letter(crasher, to, answer), sender=crasher, to=to)[0] == 250
    expect(page.get_by_role("heading", name="Réponses reçues par courriel")).to_be_visible()
    expect(page.get_by_text(f"{crasher} a répondu sans être sur la liste.")).to_be_visible()

    later = {"DTSTART": starts_at + dt.timedelta(hours=1), "DTEND": starts_at + dt.timedelta(hours=2)}
    to, answer = guests.answer_to(request.calendar, ANNE, "TENTATIVE", method="COUNTER", changed=later)
    assert guests.send(listener.port, guests.letter(ANNE, to, answer, method="COUNTER"), sender=ANNE, to=to)[0] == 250
    counter = Meeting.objects.get().counters.get()
    assert (counter.starts_at, counter.state) == (starts_at + dt.timedelta(hours=1), "pending")
