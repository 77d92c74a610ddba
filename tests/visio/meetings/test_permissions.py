import uuid

import pytest
from django.http import Http404

from tests import factories
from visio.meetings.permissions import can_edit_meeting, can_view_meeting, visible_meeting_or_404

pytestmark = pytest.mark.django_db


def test_who_sees_and_who_edits() -> None:
    home = factories.organisation()
    boss, anne, colleague = (factories.agent(organisation=home) for _ in range(3))
    stranger = factories.agent()
    meeting = factories.meeting(boss, guests=[anne])
    rights = {agent: (can_view_meeting(meeting, agent), can_edit_meeting(meeting, agent)) for agent in (boss, anne)}
    assert rights == {boss: (True, True), anne: (True, False)}
    assert visible_meeting_or_404(anne, meeting.public_id) == meeting
    for nobody in (colleague, stranger):
        assert not can_view_meeting(meeting, nobody)
        with pytest.raises(Http404):
            visible_meeting_or_404(nobody, meeting.public_id)


@pytest.mark.parametrize("public_id", [uuid.uuid4(), "no-uuid", ""])
def test_unknown_ids_are_404(public_id: object) -> None:
    with pytest.raises(Http404):
        visible_meeting_or_404(factories.agent(), str(public_id))
