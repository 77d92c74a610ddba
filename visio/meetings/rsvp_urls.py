"""The page that an invitation's link opens, without an account."""

from django.urls import path

from suite.live.rates import guest_posts_bounded
from visio.meetings import rsvp_views

app_name = "rsvp"

urlpatterns = [
    path("invitation/<str:token>/", guest_posts_bounded(rsvp_views.page), name="page"),
    path("invitation/<str:token>/reunion.ics", rsvp_views.ics, name="ics"),
]
