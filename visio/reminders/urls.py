"""Reminders: the fragment of every page, their settings, the way out of their mails."""

from django.urls import path

from visio.reminders import views

app_name = "reminders"

urlpatterns = [
    path("rappels/", views.shown, name="shown"),
    path("rappels/<int:reminder_id>/fermer/", views.dismiss, name="dismiss"),
    path("rappels/arreter/<str:token>/", views.stop, name="stop"),
    path("reglages/rappels/", views.settings_page, name="settings"),
]
