from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "suite.live"
    label = "live"

    def ready(self) -> None:
        from suite.live import signals

        signals.connect()
