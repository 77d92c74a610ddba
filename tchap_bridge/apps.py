from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TchapBridgeConfig(AppConfig):
    name = "tchap_bridge"
    verbose_name = _("Tchap")

    def ready(self) -> None:
        from tchap_bridge import checks, subscribers  # noqa: F401  the checks register themselves

        subscribers.connect()
