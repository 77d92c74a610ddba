"""The page that a poll's link opens, without an account."""

from django.urls import path

from suite.live.rates import guest_posts_bounded
from visio.polls import guest_views

app_name = "poll_guest"

urlpatterns = [path("sondage/<str:token>/", guest_posts_bounded(guest_views.page), name="page")]
