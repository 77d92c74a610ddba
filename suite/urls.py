"""Every address of the portal: wiring only."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("suite.portal.urls")),
    path("", include("suite.agents.urls")),
    path("reunions/", include("visio.meetings.urls")),
    path("reunions/", include("visio.inbox.urls")),
    path("", include("visio.meetings.rsvp_urls")),
    path("", include("visio.rooms.urls")),
    path("", include("visio.exchange.urls")),
    path("salles/", include("visio.meetings.picker_urls")),
    path("salles/", include("visio.places.urls")),
    path("equipe/", include("visio.calendars.urls")),
    path("sondages/", include("visio.polls.urls")),
    path("", include("visio.polls.guest_urls")),
    path("", include("visio.reminders.urls")),
    path("api/v1/", include("visio.meetings.api_urls")),
    path("api/v1/", include("visio.polls.api_urls")),
    path("api/v1/", include("visio.places.api_urls")),
    path("api/v1/", include("suite.portal.api_urls")),
    path("", include("tchap_bridge.urls")),
    path("admin/", admin.site.urls),
]

# Those that must come out whatever is broken; 403 and 404 are Django's own with templates of ours.
handler400 = "suite.portal.errors.bad_request"
handler500 = "suite.portal.errors.server_error"
