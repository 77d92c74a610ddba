"""The Celery application: `celery -A suite.celery worker`."""

import os

from celery import Celery
from celery.signals import setup_logging

from suite import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite.settings.dev")

app = Celery("suite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "suite.mail",
        "visio.meetings",
        "visio.places",
        "visio.polls",
        "visio.inbox",
        "visio.reminders",
        "visio.exchange",
        "visio.rooms",
        "tchap_bridge",
        "suite.portal",
    ]
)
setup_logging.connect(logs.set_up)
