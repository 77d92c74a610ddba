"""Links that other parts hang on a meeting: its Tchap room today."""

from __future__ import annotations

from django.db import transaction

from suite.core.events import publish
from visio.events import LinkAttached
from visio.meetings.models import Meeting, MeetingLink


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
