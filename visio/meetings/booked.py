"""Rooms and equipment of a meeting, for the operations on meetings: what they book, move and give back follows each act.

Everything about resources themselves is visio.places'; nothing else in visio.meetings calls it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils.translation import gettext as _

from suite.agents.models import Agent
from visio.meetings.drafts import MeetingDraft
from visio.meetings.models import Meeting
from visio.meetings.refusals import DraftRefused


def book_draft(meeting: Meeting, draft: MeetingDraft, *, by: Agent, now: dt.datetime) -> None:
    """Book what the draft asks for, for every date that is a row and not over."""
    if draft.resources:
        raise DraftRefused({"resources": [_("La réservation de salles n’est pas encore ouverte.")]})


def follow(meeting: Meeting, *, by: Agent, now: dt.datetime, resource_ids: Collection[int] | None = None) -> None:
    """Make the bookings what the meeting's dates are now. `resource_ids`: those wanted from now on; None: as before."""


def release(meeting: Meeting, *, occurrence_ids: Collection[int] | None = None) -> None:
    """Give back all, or what these dates hold."""
