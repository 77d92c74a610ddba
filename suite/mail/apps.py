from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "suite.mail"
    label = "mail"

    def ready(self) -> None:
        from suite.mail import checks  # noqa: F401  registers the checks
