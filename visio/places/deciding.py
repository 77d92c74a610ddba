"""A manager accepts or refuses what was asked for; the organiser is told by mail and on open pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from suite.agents.models import Agent
from suite.core.events import publish
from suite.core.plain import one_line
from suite.mail.letter import Button, Fact
from suite.mail.to_agent import owe_letter
from visio.events import BookingsDecided
from visio.places import asking
from visio.places.models import BookingStatus, Resource, ResourceBooking
from visio.places.permissions import waiting_for
from visio.places.refusals import span_words

WORDS_LENGTH = 500


@dataclass(frozen=True)
class Decision:
    """How many requests were decided now; those that were decided or withdrawn before do not count."""

    number: int


@transaction.atomic
def decide(*, by: Agent, booking_ids: Collection[int], accept: bool, words: str = "", now: dt.datetime) -> Decision:
    """Accept or refuse these requests, as far as `by` manages their resources and they still wait. Safe to repeat.

    A refused one gives the resource free at once. `words` go to the organiser, on one line, 500 characters at most.
    """
    words = one_line(words)[:WORDS_LENGTH]
    mine = waiting_for(by).filter(pk__in=list(booking_ids))
    meeting_ids = set(mine.order_by().values_list("meeting", flat=True))
    if not meeting_ids:
        return Decision(0)
    # The same order as an organiser's own act, which locks the meeting first and its resources after.
    meetings = apps.get_model("visio", "Meeting")._default_manager
    list(meetings.filter(pk__in=meeting_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    resource_ids = set(mine.order_by().values_list("resource", flat=True))
    list(Resource.objects.filter(pk__in=resource_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    waiting = list(mine.filter(meeting__in=meeting_ids, resource__in=resource_ids).order_by("during"))
    status = BookingStatus.ACCEPTED if accept else BookingStatus.REFUSED
    ResourceBooking.objects.filter(pk__in=[row.pk for row in waiting]).update(
        status=status, decided_by=by, decided_at=now, words=words
    )
    groups: dict[tuple[int, int], list[int]] = {}
    for row in waiting:
        groups.setdefault((row.meeting_id, row.resource_id), []).append(row.pk)
    for (meeting_id, _resource), ids in sorted(groups.items()):
        _tell(ids, by=by, accept=accept, words=words, now=now)
        publish(BookingsDecided(meeting_id=meeting_id, booking_ids=tuple(ids)))
    return Decision(len(waiting))


def _tell(ids: list[int], *, by: Agent, accept: bool, words: str, now: dt.datetime) -> None:
    rows = list(
        ResourceBooking.objects.filter(pk__in=ids).select_related("resource", "meeting__organiser").order_by("during")
    )
    first, resource, meeting = rows[0], rows[0].resource, rows[0].meeting
    asking.follow(meeting=meeting, resource_ids=[resource.pk])
    organiser = meeting.organiser
    if organiser.pk == by.pk:
        return
    with translation.override(organiser.language):
        when = span_words(first.during.lower, first.during.upper, organiser.time_zone)
        if accept:
            subject = _("Salle accordée : %(name)s, %(when)s") % {"name": resource.name, "when": when}
            kicker, lead = _("Salle accordée"), _("%(name)s a accepté votre demande.") % {"name": by.full_name}
            button = _("Voir la réunion")
        else:
            subject = _("Salle refusée : %(name)s, %(when)s") % {"name": resource.name, "when": when}
            kicker = _("Salle refusée")
            lead = _("%(name)s a refusé votre demande. La réunion garde son heure : il lui faut une autre salle.") % {
                "name": by.full_name
            }
            button = _("Choisir une autre salle")
        facts = [Fact(_("Réunion"), meeting.title), Fact(_("Dates"), asking.dates_words(len(rows)))]
        if words:
            facts.append(Fact(_("Message"), words))
        page = reverse("meetings:detail", args=[meeting.public_id])
        owe_letter(
            organiser,
            key=f"places:decided:{meeting.pk}:{resource.pk}:{min(ids)}",
            kind="place_decided",
            due_at=now,
            subject=subject,
            kicker=kicker,
            title=str(resource),
            paragraphs=[lead],
            when=when,
            facts=facts,
            buttons=[Button(button, f"{settings.PORTAL_URL}{page}")],
            answers_to=by,
        )
