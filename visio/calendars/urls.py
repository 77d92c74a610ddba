"""Addresses of the team's calendar, under /equipe/."""

from django.urls import path

from visio.calendars import views

app_name = "calendars"

urlpatterns = [
    path("", views.team, name="team"),
    path("grille/", views.team_grid, name="team-grid"),
]
