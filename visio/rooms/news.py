"""Who hears what of a call: its own sockets, and the dashboards of the meeting's agents."""

from __future__ import annotations

from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest

from suite.live import push
from visio.rooms import hail
from visio.rooms.models import Room


def tell_call(room_id: int) -> None:
    """Somebody came or went: the call's sockets look again, the meeting's agents' pages fetch topic `call:<slug>`."""
    hail.roster_changed(room_id)
    room = Room.objects.select_related("meeting").filter(pk=room_id).first()
    try:
        attendees = room.meeting.attendees if room is not None else None
    except ObjectDoesNotExist:
        attendees = None
    if room is not None and attendees is not None:
        agent_ids = attendees.filter(agent__isnull=False).order_by().values_list("agent_id", flat=True)
        push.nudge([agent_id for agent_id in agent_ids if agent_id is not None], f"call:{room.slug}")


def check_access(meeting_id: int) -> None:
    """The meeting was edited or cancelled: whoever is in its call may have lost the right to be there."""
    for room_id in Room.objects.filter(meeting=meeting_id).order_by().values_list("pk", flat=True):
        hail.access_changed(room_id)


def end_session(sender: object, request: HttpRequest, user: object, **_kwargs: object) -> None:
    """Signing out leaves every call of that session (receiver of user_logged_out)."""
    session_key = request.session.session_key
    if session_key:
        hail.session_ended(session_key)


def connect() -> None:
    """Listen to signing out; called once at start-up."""
    user_logged_out.connect(end_session, dispatch_uid="rooms.end_session")
