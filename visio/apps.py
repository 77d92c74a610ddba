from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VisioConfig(AppConfig):
    name = "visio"
    verbose_name = _("Réunions")

    def ready(self) -> None:
        from suite.live import presence, visibility
        from visio import subscribers
        from visio.meetings import sources

        subscribers.connect()
        presence.register_meeting_source(sources.in_meeting_until)
        visibility.register_shared_source(sources.sharing_a_meeting)
