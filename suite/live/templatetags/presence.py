"""Template tags of presence and of time that passes.

`states` is what suite.live.presence.states returned, or one Presence of it; an agent who is not in it (because the viewer
may not see them) is shown without any state, and the socket never asks for one.

{% presence_badge agent states %}              avatar with its shape at the corner, the words for screen readers
{% presence_badge agent states name=True %}    the same, beside the name and the words
{% presence_line agent states %}               shape and words in a line
{% live_config %}                              what assets/live/live.js needs, once a page
{% countdown moment now before=_("Commence dans {time}") after=_("Commencée depuis {time}") %}
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from suite.live.countdown import duration_words, minutes_until, templates
from suite.live.presence_rules import Presence

register = template.Library()

SPRITE = "live/presence.svg"
Given = Presence | Mapping[int, Presence] | None


def _state_of(agent: Agent, given: Given | str) -> Presence | None:
    if isinstance(given, Mapping):
        return given.get(agent.pk)
    return given if isinstance(given, Presence) else None


@register.inclusion_tag("portal/_presence_badge.html")
def presence_badge(agent: Agent, states: Given = None, size: str = "", name: bool = False) -> dict[str, Any]:
    return {
        "agent": agent,
        "state": _state_of(agent, states),
        "sprite": static(SPRITE),
        "size": size,
        "name": name,
    }


@register.inclusion_tag("portal/_presence.html")
def presence_line(agent: Agent, states: Given = None) -> dict[str, Any]:
    return {"agent": agent, "state": _state_of(agent, states), "sprite": static(SPRITE)}


@register.simple_tag
def live_config() -> SafeString:
    words = {
        "paused": _("Présence en pause, reconnexion…"),
        "unknown": _("Présence en pause"),
        "signed_out": _("Votre session est terminée. Reconnectez-vous pour suivre vos réunions en direct."),
        "away_minutes": {
            "one": ngettext("Absent depuis %(count)s\u00a0min", "Absent depuis %(count)s\u00a0min", 1),
            "other": ngettext("Absent depuis %(count)s\u00a0min", "Absent depuis %(count)s\u00a0min", 2),
        },
        "away_hours": {
            "one": ngettext("Absent depuis %(count)s\u00a0h", "Absent depuis %(count)s\u00a0h", 1),
            "other": ngettext("Absent depuis %(count)s\u00a0h", "Absent depuis %(count)s\u00a0h", 2),
        },
        "duration": templates(),
    }
    config = {"socket": "/ws/live/", "sprite": static(SPRITE), "idle": settings.LIVE_IDLE_SECONDS, "words": words}
    return json_script(config, "live-config")


@register.simple_tag
def countdown(moment: dt.datetime, now: dt.datetime, before: str = "{time}", after: str = "{time}") -> SafeString:
    """Time until `moment`, kept right by the browser; `before` and `after` are sentences around {time}."""
    sentence = before if moment > now else after
    return format_html(
        '<time datetime="{at}" data-countdown-to="{at}" data-countdown-before="{before}"'
        ' data-countdown-after="{after}">{words}</time>',
        at=moment.astimezone(dt.UTC).isoformat(timespec="seconds"),
        before=before,
        after=after,
        words=sentence.replace("{time}", duration_words(minutes_until(moment, now))),
    )
