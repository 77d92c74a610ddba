"""What templates show of presence and of passing time, and what the page tells its script."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from suite.agents.models import Agent
from suite.live import push
from suite.live.presence_rules import Presence
from tests import factories

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def rendered(template: str, **context: Any) -> str:
    with translation.override("fr"):
        return Template("{% load presence %}" + template).render(Context(context)).strip()


@pytest.fixture
def agent() -> Agent:
    return Agent(pk=7, given_name="Claire", usual_name="<Morel>")


def test_a_badge_is_avatar_shape_and_words(agent: Agent) -> None:
    html = rendered("{% presence_badge agent states %}", agent=agent, states={7: Presence("available", NOW)})
    assert f'data-presence="{agent.public_id}" data-state="available"' in html
    assert "ps-avatar ps-avatar--2" in html
    assert "ps-presence ps-presence--available" in html
    assert '/static/live/presence.svg#available"' in html
    assert '<span class="fr-sr-only" data-presence-words>Disponible</span>' in html


def test_a_badge_with_the_name_escapes_it(agent: Agent) -> None:
    html = rendered("{% presence_badge agent state name=True %}", agent=agent, state=Presence("offline", NOW))
    assert "Claire &lt;Morel&gt;" in html
    assert '<span class="ps-state__words" data-presence-words>Hors ligne</span>' in html


def test_whoever_may_not_be_seen_is_shown_without_a_state(agent: Agent) -> None:
    for name in ("{% presence_badge agent states %}", "{% presence_badge agent states name=True %}"):
        html = rendered(name, agent=agent, states={})
        assert "ps-avatar" in html
        assert "data-presence" not in html
        assert "svg" not in html
    assert rendered("{% presence_line agent states %}", agent=agent, states={}) == ""


def test_a_line_is_shape_and_words(agent: Agent) -> None:
    html = rendered("{% presence_line agent states %}", agent=agent, states=Presence("do_not_disturb", NOW))
    assert "ps-presence--do_not_disturb" in html
    assert "Ne pas déranger" in html


@pytest.mark.parametrize(("minutes", "words"), [(12, "Commence dans 12\u00a0min"), (-5, "Commencée depuis 5\u00a0min")])
def test_a_countdown_says_what_the_browser_will_keep_true(minutes: int, words: str) -> None:
    html = rendered(
        '{% countdown at now before="Commence dans {time}" after="Commencée depuis {time}" %}',
        at=NOW + dt.timedelta(minutes=minutes),
        now=NOW,
    )
    assert html.startswith("<time datetime=")
    assert 'data-countdown-before="Commence dans {time}"' in html
    assert html.endswith(f">{words}</time>")


def test_the_page_tells_its_script_every_word() -> None:
    html = rendered("{% live_config %}")
    assert html.startswith('<script id="live-config" type="application/json">')
    config = json.loads(html.partition(">")[2].rpartition("<")[0])
    assert config["socket"] == "/ws/live/"
    assert config["words"]["duration"]["days"] == {"one": "%(n)s jour", "other": "%(n)s jours"}
    assert config["words"]["paused"] == "Présence en pause, reconnexion…"


@pytest.mark.django_db
def test_a_page_carries_the_version_read_before_its_data() -> None:
    agent, client = factories.agent(), Client()
    client.force_login(agent)
    push.nudge([agent.pk], "meetings")
    page = client.get("/", headers={"accept": "text/html"})
    assert f'data-live-version="{push.page_version(agent.pk)}"' in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{"accept": "text/html", "hx-request": "true"}, {"accept": "application/json"}])
def test_fragments_and_data_ask_for_no_version(headers: dict[str, str]) -> None:
    from suite.live.middleware import PageVersionMiddleware

    request = RequestFactory().get("/", headers=headers)
    request.user = factories.agent()
    PageVersionMiddleware(lambda _request: None)(request)  # type: ignore[arg-type,return-value]
    assert request.live_version == ""  # type: ignore[attr-defined]
