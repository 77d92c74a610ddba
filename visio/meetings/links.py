"""Links that other parts hang on a meeting: its Tchap room today."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from suite.core.events import publish
from visio.events import LinkAttached
from visio.meetings.models import Meeting, MeetingLink

_refusals: dict[str, Callable[[int], bool]] = {}


def register_refusals(label: str, is_refused: Callable[[int], bool]) -> None:
    """Say who knows, by the meeting's id, that the link of this label will not come by itself. Called once at start-up."""
    _refusals[label] = is_refused


def is_refused(*, meeting: Meeting, label: str) -> bool:
    """Whether waiting for the link is in vain until an administrator acts."""
    known = _refusals.get(label)
    return known is not None and known(meeting.pk)


@transaction.atomic
def attach_link(*, meeting: Meeting, label: str, url: str) -> MeetingLink:
    """Hang `url` on the meeting under `label`, in place of what was there. Safe to repeat: says so only when it changed."""
    known = MeetingLink.objects.filter(meeting=meeting, label=label, url=url).first()
    if known is not None:
        return known
    link, _created = MeetingLink.objects.update_or_create(meeting=meeting, label=label, defaults={"url": url})
    publish(LinkAttached(meeting_id=meeting.pk, label=label))
    return link


@transaction.atomic
def detach_link(*, meeting: Meeting, label: str) -> bool:
    """Take the link away; False when there was none."""
    deleted, _per_model = MeetingLink.objects.filter(meeting=meeting, label=label).delete()
    if deleted:
        publish(LinkAttached(meeting_id=meeting.pk, label=label))
    return bool(deleted)
