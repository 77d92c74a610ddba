"""Calendars in and out."""

from django.urls import path

from visio.exchange import agenda_views, feed_views, import_views

app_name = "exchange"

urlpatterns = [
    path("calendrier/<str:token>.ics", feed_views.feed, name="feed"),
    path("reglages/abonnements/", feed_views.feeds, name="feeds"),
    path("reglages/abonnements/<int:feed_id>/revoquer/", feed_views.revoke, name="revoke_feed"),
    path("reunions/importer/", import_views.upload, name="import"),
    path("reunions/importer/<uuid:import_id>/", import_views.preview, name="preview"),
    path("reunions/agenda/", agenda_views.agenda, name="agenda"),
]
