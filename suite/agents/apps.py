from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AgentsConfig(AppConfig):
    name = "suite.agents"
    label = "agents"
    verbose_name = _("Agents")

    def ready(self) -> None:
        from suite.agents import schema  # noqa: F401  registers itself with drf-spectacular
