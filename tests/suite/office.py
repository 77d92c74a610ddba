"""The administration as a test uses it."""

from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.tokens import issue_token
from tchap_bridge.models import InboundEvent, MemberState, TchapMember, TchapMessage, TchapRoom
from tests import factories
from visio.meetings.models import Meeting


def everything(administrator: Agent) -> Meeting:
    """A meeting with all that may hang on it."""
    guest = factories.agent("Hélène", "Da Silva", organisation=administrator.organisation, matrix_id="@h:tchap.example")
    factories.team(managers=[guest], members=[guest])
    issue_token(agent=guest, name="Grist", days=30, now=timezone.now())
    made = factories.meeting(guests=[guest, "guest@ailleurs.example"], title="Comité de suivi")
    room, _created = TchapRoom.objects.get_or_create(
        meeting=made, defaults={"alias_localpart": f"visio-{made.pk}", "due_at": timezone.now()}
    )
    TchapMember.objects.create(room=room, agent=guest, matrix_id=guest.matrix_id, state=MemberState.INVITED)
    TchapMessage.objects.create(room=room, about=f"created:{made.pk}", body="Bonjour")
    InboundEvent.objects.create(key=f"event-{made.pk}")
    return made


def address(model: type[models.Model], page: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def act(client: Client, name: str, *rows: models.Model) -> list[str]:
    """Run the act on the rows' list; the messages shown after it."""
    response = client.post(
        address(type(rows[0])), {"action": name, "_selected_action": [row.pk for row in rows]}, follow=True
    )
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]
