"""The Celery application: `celery -A suite.celery worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite.settings.dev")

app = Celery("suite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["visio.meetings", "visio.rooms", "tchap_bridge"])
