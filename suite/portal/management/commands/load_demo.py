"""`manage.py load_demo`: the demonstration organisations, agents and meetings. Safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from suite.portal.demo import load_demo


class Command(BaseCommand):
    help = "Loads three demonstration organisations, forty agents and two weeks of meetings around today."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing and say how much that was."""
        loaded = load_demo(now=timezone.now())
        self.stdout.write(
            _(
                "Données de démonstration : %(organisations)d organisations, %(agents)d agents,"
                " %(meetings)d réunions ajoutées."
            )
            % {"organisations": loaded.organisations, "agents": loaded.agents, "meetings": loaded.meetings}
        )
