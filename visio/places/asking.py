"""Requests that wait for a room's managers: they are told by mail and on open pages, and no longer when the request is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from suite.live import push
from suite.mail import outbox
from suite.mail.letter import Button, Fact
from suite.mail.to_agent import owe_letter
from visio.places.models import BookingStatus, Resource, ResourceBooking
from visio.places.refusals import span_words

if TYPE_CHECKING:
    from visio.meetings.models import Meeting

# What open pages of managers listen to.
TOPIC = "places"
# A request may still be undone, or corrected at once.
PATIENCE = dt.timedelta(seconds=60)


def follow(
    *, meeting: Meeting, resource_ids: Collection[int], asked: Collection[int] = (), now: dt.datetime | None = None
) -> None:
    """After a change of `meeting`'s bookings of these: owe the managers a letter about new requests, withdraw gone ones.

    `asked`: those of them that this very change asked for, at `now`. In the transaction of the change.
    """
    resources = list(
        Resource.objects.filter(pk__in=list(resource_ids), needs_approval=True)
        .prefetch_related("managers")
        .order_by("pk")
    )
    if not resources:
        return
    waiting: dict[int, list[ResourceBooking]] = {}
    pending = ResourceBooking.objects.filter(meeting=meeting, resource__in=resources, status=BookingStatus.PENDING)
    for row in pending.order_by("during"):
        waiting.setdefault(row.resource_id, []).append(row)
    for resource in resources:
        managers = managers_of(resource)
        rows = waiting.get(resource.pk, [])
        if not rows or resource.pk in asked:
            outbox.withdraw(_key(meeting, resource))
        if rows and resource.pk in asked and now is not None:
            _owe(meeting, resource, rows, managers, now)
        tell_managers(managers)


def managers_of(resource: Resource) -> list[Agent]:
    """Those who may decide today: open accounts of the resource's own organisation."""
    return [one for one in resource.managers.all() if one.is_active and one.organisation_id == resource.organisation_id]


def tell_managers(managers: Iterable[Agent]) -> None:
    push.nudge([one.pk for one in managers], TOPIC)


def shown_title(meeting: Meeting) -> str:
    """What a manager who decides is told of a meeting: its title, unless it is private."""
    return _("Réunion privée") if meeting.privacy == "private" else meeting.title


def _key(meeting: Meeting, resource: Resource) -> str:
    return f"places:ask:{meeting.pk}:{resource.pk}:"


def _owe(
    meeting: Meeting, resource: Resource, rows: list[ResourceBooking], managers: list[Agent], now: dt.datetime
) -> None:
    newest, first = max(row.pk for row in rows), rows[0].during
    url = f"{settings.PORTAL_URL}{reverse('places:requests')}"
    for manager in managers:
        with translation.override(manager.language):
            when = span_words(first.lower, first.upper, manager.time_zone)
            subject = _("Salle à valider : %(name)s, %(when)s") % {"name": resource.name, "when": when}
            owe_letter(
                manager,
                key=f"{_key(meeting, resource)}{newest}:{manager.pk}",
                kind="place_asked",
                due_at=now + PATIENCE,
                subject=subject,
                kicker=_("Salle à valider"),
                title=str(resource),
                paragraphs=[
                    _("%(name)s demande à la réserver. Vous en êtes responsable : acceptez ou refusez.")
                    % {"name": meeting.organiser.full_name}
                ],
                when=when,
                facts=[
                    Fact(_("Réunion"), shown_title(meeting)),
                    Fact(_("Dates"), dates_words(len(rows))),
                ],
                buttons=[Button(_("Voir la demande"), url)],
                answers_to=meeting.organiser,
            )


def dates_words(count: int) -> str:
    return ngettext("%(count)d date", "%(count)d dates", count) % {"count": count}
