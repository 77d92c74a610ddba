from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "suite.live"
    label = "live"
