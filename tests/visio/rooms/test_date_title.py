"""The call's page names the date that the reader comes to, as its own page does."""

from __future__ import annotations

import dataclasses

import pytest
from django.test import Client
from django.utils import timezone

from suite.agents.models import Agent
from tests import factories
from tests.visio.meetings.pages import client_of, text_of
from tests.visio.meetings.test_views_series import dates, weekly
from visio.meetings.drafting import draft_of
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import change
from visio.meetings.tokens import guest_join_url

pytestmark = pytest.mark.django_db
GUEST = "anne@b.example"


def renamed(meeting: Meeting, number: int, title: str, *, without: str = "") -> Meeting:
    meeting.refresh_from_db()
    date = dates(meeting)[number]
    draft = draft_of(meeting, date, scope=Scope.ONE)
    people = tuple(one for one in draft.attendees if one.email != without)
    return change(
        meeting=meeting,
        occurrence=date,
        scope=Scope.ONE,
        by=meeting.organiser,
        draft=dataclasses.replace(draft, title=title, attendees=people),
        revision=meeting.revision,
        now=timezone.now(),
    )


def page_of(meeting: Meeting, reader: Agent | None) -> str:
    assert meeting.room is not None
    if reader is None:
        path = guest_join_url(meeting.attendees.get(email=GUEST))
        answer = Client().get(path[path.index("/invitation/") :])
    else:
        answer = client_of(reader).get(f"/visio/{meeting.room.slug}/")
    assert answer.status_code == 200
    return text_of(answer)


def test_the_next_date_s_own_title_is_shown() -> None:
    colleague = factories.agent("Karim", "Benali")
    meeting = weekly(factories.agent(), guests=[colleague, GUEST], title="Comité de suivi")
    assert "<title>Comité de suivi" in page_of(meeting, colleague)
    renamed(meeting, 0, "Bilan de l’année")
    for reader in (meeting.organiser, colleague, None):
        page = page_of(meeting, reader)
        assert "<title>Bilan de l’année" in page
        assert "Comité de suivi" not in page
    meeting.refresh_from_db()
    assert meeting.title == "Comité de suivi"


def test_a_later_date_s_title_waits_for_its_day() -> None:
    meeting = weekly(factories.agent(), guests=[GUEST], title="Comité de suivi")
    renamed(meeting, 1, "Mutations")
    assert "Mutations" not in page_of(meeting, meeting.organiser)


def test_who_was_left_out_of_the_next_date_reads_of_theirs() -> None:
    colleague = factories.agent("Karim", "Benali")
    meeting = weekly(factories.agent(), guests=[colleague, GUEST], title="Comité de suivi")
    renamed(meeting, 0, "Mutations", without=colleague.email)
    assert "Mutations" in page_of(meeting, None)
    page = page_of(meeting, colleague)
    assert "Mutations" not in page
    assert "<title>Comité de suivi" in page
