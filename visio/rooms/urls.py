"""The pages of a room: for agents by its code, for guests by their invitation link."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from visio.rooms import views

app_name = "rooms"
urlpatterns = [
    path("visio/<slug:slug>/", views.room, name="room"),
    path("invitation/<str:token>/rejoindre/", login_not_required(views.guest), name="guest"),
]
