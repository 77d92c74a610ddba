"""The test run: the same real parts on free ports, and settings that hunt bugs."""

from suite.settings.dev import *  # noqa: F403
from suite.settings.dev import INSTALLED_APPS, LOGGING, TEMPLATES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["root"]["level"] = "WARNING"  # type: ignore[index]
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = "INVALID-TEMPLATE-VARIABLE[%s]"
# `bin/check` reads migrations with it: locks and losses that a rolling deployment would suffer.
INSTALLED_APPS += ["django_migration_linter"]
# Every test client builds the middlewares anew: a file is looked for when asked for, not 1,851 of them listed each time.
WHITENOISE_AUTOREFRESH = True
