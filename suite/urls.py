"""Every address of the portal: wiring only."""

import logging
from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

MOUNTS = [
    ("", "suite.portal.urls"),
    ("", "suite.agents.urls"),
    ("reunions/", "visio.meetings.urls"),
    ("", "visio.meetings.rsvp_urls"),
    ("", "visio.rooms.urls"),
    ("equipe/", "visio.calendars.urls"),
    ("api/v1/", "visio.meetings.api_urls"),
    ("api/v1/", "suite.portal.api_urls"),
    ("", "tchap_bridge.urls"),
]

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
for prefix, name in MOUNTS:
    if find_spec(name) is None:
        continue
    try:
        module = import_module(name)
    except ImportError as error:
        logging.getLogger(__name__).warning("not mounted yet: %s (%s)", name, error)
    else:
        urlpatterns.append(path(prefix, include(module)))

handler400 = "suite.portal.errors.bad_request"
handler500 = "suite.portal.errors.server_error"
