"""The page that an invitation's link opens, without an account."""

from django.urls import path

from visio.meetings import rsvp_views

app_name = "rsvp"

urlpatterns = [
    path("invitation/<str:token>/", rsvp_views.page, name="page"),
    path("invitation/<str:token>/reunion.ics", rsvp_views.ics, name="ics"),
]
