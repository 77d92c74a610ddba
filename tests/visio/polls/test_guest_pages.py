"""What a guest reads of a poll, and how long their link opens it."""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from suite.logs import Line
from tests import factories
from tests.visio.polls.asking import ANNE, DAY, NO, keys, person, poll
from tests.visio.polls.reading import at, guest_path, html
from visio.polls.closing import choose_date, close_poll
from visio.polls.models import PollParticipant, PollVote
from visio.polls.tokens import link_token, new_link, participant_by_token, poll_url, revoke_link

pytestmark = pytest.mark.django_db


def test_r16_reading_changes_nothing_and_a_post_votes(boss: Agent) -> None:
    made = poll(boss, [ANNE])
    path, client = guest_path(made, ANNE), Client(enforce_csrf_checks=True)
    key = keys(made)[0]
    before = list(PollParticipant.objects.values())
    for method in ("get", "head", "options", "put", "delete"):
        response = getattr(client, method)(f"{path}?vote-{key}=yes")
        assert response.status_code in {200, 403, 405}
    assert list(PollParticipant.objects.values()) == before
    assert not PollVote.objects.exists()
    page = client.get(path)
    assert page["Referrer-Policy"] == "strict-origin"
    assert "noindex" in page["X-Robots-Tag"]
    assert f"Vous répondez pour {ANNE}." in html(page)
    token = client.cookies["csrftoken"].value
    fields = {f"vote-{key}": NO for key in keys(made)} | {"csrfmiddlewaretoken": token}
    done = client.post(path, fields)
    assert done["Location"] == f"{path}?merci=1"
    assert "Merci, votre réponse est enregistrée." in html(client.get(done["Location"]))
    assert PollVote.objects.filter(choice=NO).count() == 3


def test_a_guest_after_the_end_reads_what_became_of_it(boss: Agent) -> None:
    made = poll(boss, [ANNE], deadline_in=2 * DAY)
    path = guest_path(made, ANNE)
    close_poll(poll=made, by=boss, now=timezone.now())
    refused = Client().post(path, {f"vote-{key}": NO for key in keys(made)})
    assert "Ce sondage est clos" in html(refused, 409)
    meeting = choose_date(poll=made, key=keys(made)[0], by=boss, now=timezone.now())
    page = html(Client().get(path))
    assert "La date est choisie." in page
    link = re.search(r'href="[^"]*(/invitation/[^"]+)"', page)
    assert link is not None
    assert meeting.title in html(Client().get(link[1]))


def test_the_zone_of_the_reader(boss: Agent) -> None:
    far = factories.agent("Moana", time_zone="Pacific/Noumea")
    made = poll(boss, [far, ANNE], now=dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC))
    assert "Heure de Paris." in html(Client().get(guest_path(made, ANNE)))
    assert "20:00 – 21:00" in html(Client().get(guest_path(made, far)))
    page = html(Client().get(guest_path(made, ANNE) + "?fuseau=Indian/Reunion"))
    assert "Heure de La Réunion." in page
    assert "13:00 – 14:00" in page
    assert "?fuseau=Indian/Reunion" in page, "the vote comes back to the same hours"
    assert "Heure de Paris." in html(Client().get(guest_path(made, ANNE) + "?fuseau=../../etc/passwd"))


def test_links_are_hashed_revocable_and_expire(boss: Agent) -> None:
    made = poll(boss, [ANNE, factories.agent("Léa")])
    anne = person(made, ANNE)
    token = link_token(anne)
    assert len(token) == 32
    assert token not in "".join(str(value) for value in PollParticipant.objects.filter(pk=anne.pk).values()[0].values())
    now = timezone.now()
    assert participant_by_token(token, now=now) == anne
    assert participant_by_token(token, now=now + 38 * DAY) == anne
    assert participant_by_token(token, now=now + 40 * DAY) is None
    revoke_link(anne)
    assert participant_by_token(token, now=now) is None
    assert Client().get(f"/sondage/{token}/").status_code == 404
    assert participant_by_token(link_token(anne), now=now) == anne
    lea = person(made, Agent.objects.get(given_name="Léa"))
    Agent.objects.filter(given_name="Léa").update(is_active=False)
    assert participant_by_token(link_token(lea), now=now) is None
    assert len({new_link() for _number in range(50)}) == 50
    assert poll_url(anne).endswith(f"/sondage/{link_token(anne)}/")


def test_a_link_outlives_a_rotation_of_the_key(boss: Agent, settings: Any) -> None:
    made = poll(boss, [ANNE])
    token = link_token(person(made, ANNE))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-at-least-fifty-characters-for-this-test-alone"
    assert link_token(person(made, ANNE)) == token
    settings.SECRET_KEY_FALLBACKS = []
    assert link_token(person(made, ANNE)) != token


def test_no_secret_link_reaches_the_logs(boss: Agent) -> None:
    made = poll(boss, [ANNE])
    path = guest_path(made, ANNE)
    written = Line("%(message)s").format(logging.makeLogRecord({"msg": f"Not Found: {path}?merci=1"}))
    assert written == "Not Found: /sondage/…/?merci=1"
    kept = Line("%(message)s").format(logging.makeLogRecord({"msg": f"Not Found: {at('detail', made)}"}))
    assert str(made.public_id) in kept, "an agent's address is no secret"
