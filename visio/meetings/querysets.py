"""Adjectives for meetings: `Meeting.objects.involving(agent).ending_after(now)`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from suite.agents.models import Agent
    from visio.meetings.models import Attendee, Delivery, Meeting  # noqa: F401  used in quoted type arguments


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def involving(self, agent: Agent) -> MeetingQuerySet:
        """Meetings that `agent` organises or attends, each once (EXISTS, never a join that would multiply rows)."""
        from visio.meetings.models import Attendee

        mine = Attendee.objects.filter(meeting=models.OuterRef("pk"), agent=agent)
        return self.filter(Q(organiser=agent) | models.Exists(mine))

    def visible_to(self, agent: Agent) -> MeetingQuerySet:
        """Those whose page `agent` may open: their own, and those of whoever they act for (suite.agents.delegation)."""
        from suite.agents.time_models import Delegation
        from visio.meetings.models import Attendee

        mine = Attendee.objects.filter(meeting=models.OuterRef("pk"), agent=agent)
        principals = Delegation.objects.filter(delegate=agent, principal__is_active=True).order_by()
        return self.filter(Q(organiser=agent) | models.Exists(mine) | Q(organiser__in=principals.values("principal")))


class AttendeeQuerySet(models.QuerySet["Attendee"]):
    def unanswered_by(self, agent: Agent, *, now: dt.datetime) -> AttendeeQuerySet:
        """Invitations that wait for `agent`'s answer, for meetings that are neither over nor cancelled.

        A series is here once, also when only one of its dates waits (it moved since the answer to the series).
        """
        from visio.meetings.exception_models import AttendeeException

        # Two arms, one for each partial index.
        asked = self.model._default_manager.filter(agent=agent, answer="needs_action", ends_at__gt=now)
        dates = AttendeeException.objects.filter(
            attendee=models.OuterRef("pk"),
            answer="needs_action",
            removed=False,
            occurrence__status="confirmed",
            occurrence__ends_at__gt=now,
        )
        dated = self.model._default_manager.filter(models.Exists(dates), agent=agent, is_series=True, ends_at__gt=now)
        waiting = asked.order_by().values("pk").union(dated.order_by().values("pk"))
        return self.filter(pk__in=waiting, meeting__status="confirmed").exclude(role="chair")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: dt.datetime) -> DeliveryQuerySet:
        """Owed rows whose time has come, and rows whose sender died (their claim ran out)."""
        return self.filter(Q(state="owed", due_at__lte=now) | Q(state="sending", claimed_until__lt=now))
