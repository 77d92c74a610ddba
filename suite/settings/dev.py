"""One machine: `bin/run` sets the environment; plain HTTP on localhost."""

from suite.settings.base import *  # noqa: F403

DEBUG = False
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
