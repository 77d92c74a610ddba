from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "suite.mail"
    label = "mail"
    verbose_name = _("Courriels")

    def ready(self) -> None:
        from suite.mail import checks  # noqa: F401  registers the checks
