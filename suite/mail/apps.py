from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "suite.mail"
    label = "mail"
