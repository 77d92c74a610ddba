"""The fragment of a meeting's page with what came by mail; for whoever may edit the meeting."""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from visio.inbox.reading import received_lines
from visio.meetings.permissions import can_edit_meeting, visible_meeting_or_404
from visio.meetings.requests import signed_in


@never_cache
@require_GET
def received(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    agent = signed_in(request)
    meeting = visible_meeting_or_404(agent, public_id)
    if not can_edit_meeting(meeting, agent):
        raise PermissionDenied
    context = {"meeting": meeting, "received": received_lines(meeting), "now": timezone.now()}
    return render(request, "visio/inbox/_received.html", context)
