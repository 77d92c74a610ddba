"""Rooms for the meeting that is being planned, under /salles/choisir/."""

from django.urls import path

from visio.meetings import picker_views

app_name = "picker"

urlpatterns = [
    path("choisir/", picker_views.choose, name="choose"),
]
