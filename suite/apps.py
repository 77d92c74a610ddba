from django.apps import AppConfig


class SuiteConfig(AppConfig):
    """The roof: makes the Celery application the current one in every Django process, and looks over the settings."""

    name = "suite"

    def ready(self) -> None:
        from suite import celery, checks  # noqa: F401  shared_task needs the app to exist; the checks register themselves
