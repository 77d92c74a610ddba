"""What the sockets of a call hear from the rest of the portal."""

from __future__ import annotations

from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from visio.rooms import hail
from visio.rooms.models import Room


def tell_call(room_id: int) -> None:
    """Somebody came or went: the call's sockets look again."""
    hail.roster_changed(room_id)


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
