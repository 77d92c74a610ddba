from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VisioConfig(AppConfig):
    name = "visio"
    verbose_name = _("Réunions")

    def ready(self) -> None:
        from suite.live import presence, visibility
        from visio import subscribers
        from visio.meetings import sources, tokens
        from visio.rooms import access

        subscribers.connect()
        access.register_invitations(tokens.attendee_by_token)
        presence.register_engagement_source(sources.engaged)
        visibility.register_shared_source(sources.sharing_a_meeting)
