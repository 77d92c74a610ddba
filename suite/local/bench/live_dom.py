"""From an operation's commit to another person's page: milliseconds until their open dashboard shows the meeting.

Real parts all the way: PostgreSQL, Redis, daphne, Chromium. The clock starts before the operation and, in the second
figure, when it has committed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent, Organisation
from suite.local import places, ports
from suite.local.bench import size
from suite.local.bench.daphne import Daphne
from visio.meetings.drafts import Invitee, MeetingDraft
from visio.meetings.models import Meeting
from visio.meetings.scheduling import schedule_meeting
from visio.meetings.wallclock import wall_clock

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROUNDS = size(30, 2)
DEADLINE = 20_000
# Notes the moment at which a title first stands in the page: polling from outside would add its own rhythm.
WATCH = """
() => {
  window.seenAt = {};
  new MutationObserver(() => {
    for (const [, title] of document.body.innerText.matchAll(/(Banc [0-9a-f]{8})/g)) window.seenAt[title] ??= Date.now();
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}
"""


def main() -> None:
    """Print median and 95th percentile over ROUNDS meetings."""
    if not CHROMIUM.exists():
        print("left out: no Chromium on this machine (apt-get install chromium)")
        return
    with _people() as (organiser, guest), tempfile.TemporaryDirectory(dir=places.shared_folder()) as folder:
        server = Daphne(Path(folder), ports.reserve())
        server.start()
        try:
            whole, after_commit = _measure(server, organiser, guest)
        finally:
            server.stop()
    for name, figures in (("operation and all", whole), ("from commit", after_commit)):
        p95 = statistics.quantiles(figures, n=20)[-1]
        print(f"another browser's DOM, {name}: median {statistics.median(figures):.0f} ms, p95 {p95:.0f} ms")


def _measure(server: Daphne, organiser: Agent, guest: Agent) -> tuple[list[float], list[float]]:
    from playwright.sync_api import sync_playwright

    browser = Client()
    browser.force_login(guest)
    cookie = browser.cookies["sessionid"].value
    # Playwright keeps an event loop in this thread, where Django refuses the ORM.
    with ThreadPoolExecutor(max_workers=1) as elsewhere, sync_playwright() as playwright:
        # Its settings and crash reports are the server's folder's, not the home's.
        own = {"XDG_CONFIG_HOME": str(server.folder), "XDG_CACHE_HOME": str(server.folder)}
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, env={**os.environ, **own})
        try:
            context = chromium.new_context(base_url=server.url, locale="fr-FR")
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
            page = context.new_page()
            page.goto("/")
            page.locator("body[data-live-state=on]").wait_for(timeout=DEADLINE)
            page.evaluate(WATCH)
            rounds = [_one(page, elsewhere, organiser, guest) for _round in range(ROUNDS + 1)][1:]
        finally:
            chromium.close()
            elsewhere.submit(browser.logout).result()
            elsewhere.submit(lambda: connection.close()).result()
    return [whole for whole, _after in rounds], [after for _whole, after in rounds]


def _one(page: Any, elsewhere: ThreadPoolExecutor, organiser: Agent, guest: Agent) -> tuple[float, float]:
    title = f"Banc {uuid.uuid4().hex[:8]}"
    began = time.time()
    meeting, committed = elsewhere.submit(_schedule, organiser, guest, title).result()
    end = time.monotonic() + DEADLINE / 1000
    while (seen_at := page.evaluate("(title) => window.seenAt[title] ?? null", title)) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{title} never came")
        time.sleep(0.02)
    elsewhere.submit(meeting.delete).result()  # or the list would grow and drop the later ones
    return seen_at - began * 1000, seen_at - committed * 1000


def _schedule(organiser: Agent, guest: Agent, title: str) -> tuple[Meeting, float]:
    """The meeting, and the moment of its commit."""
    now = timezone.now()
    date, start = wall_clock((now + dt.timedelta(hours=2)).replace(second=0, microsecond=0), "Europe/Paris")
    draft = MeetingDraft(
        title=title,
        start_date=date,
        start_time=start,
        time_zone="Europe/Paris",
        minutes=30,
        attendees=(Invitee(email=guest.email, name=guest.full_name, agent_id=guest.pk),),
    )
    committed: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.time()))  # before everybody else's
        meeting = schedule_meeting(by=organiser, draft=draft, now=now)
    return meeting, committed[0]


@contextlib.contextmanager
def _people() -> Iterator[tuple[Agent, Agent]]:
    """An organiser and a guest, gone afterwards with everything they made."""
    organisation = Organisation.objects.create(name=f"Banc {uuid.uuid4()}", siret=f"{uuid.uuid4().int % 10**14:014d}")
    made = [
        Agent.objects.create_user(
            sub=f"bench-{uuid.uuid4()}", email=f"{uuid.uuid4()}@bench.example", organisation=organisation
        )
        for _number in range(2)
    ]
    try:
        yield made[0], made[1]
    finally:
        Meeting.objects.filter(organiser__in=made).delete()
        Agent.objects.filter(organisation=organisation).delete()
        organisation.delete()
