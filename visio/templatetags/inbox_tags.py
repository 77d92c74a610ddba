"""`{% received_replies meeting %}`: what came by mail, refreshed while the page is open. For whoever may edit the meeting."""

from __future__ import annotations

from typing import Any

from django import template

from visio.inbox.reading import received_lines
from visio.meetings.models import Meeting

register = template.Library()


@register.inclusion_tag("visio/inbox/_live.html", takes_context=True)
def received_replies(context: template.Context, meeting: Meeting) -> dict[str, Any]:
    return {"meeting": meeting, "now": context["now"], "received": received_lines(meeting)}
