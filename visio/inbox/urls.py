"""What came by mail, on a meeting's page."""

from django.urls import path

from visio.inbox import views

app_name = "inbox"

urlpatterns = [path("<uuid:public_id>/fragment/recues/", views.received, name="received")]
