"""Rooms and equipment, under /salles/."""

from django.urls import path

from visio.places import views

app_name = "places"

urlpatterns = [
    path("", views.room_list, name="list"),
    path("a-valider/", views.requests_page, name="requests"),
    path("<uuid:public_id>/", views.room_page, name="room"),
]
