"""Addresses of the rooms' API, below /api/v1/."""

from django.urls import path

from visio.places import api

urlpatterns = [
    path("resources/", api.ResourcesApi.as_view(), name="resources-api"),
]
