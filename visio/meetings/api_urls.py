"""Addresses of the meetings' API, below /api/v1/."""

from django.urls import path

from visio.meetings import api, availability_api

urlpatterns = [
    path("meetings/", api.MeetingList.as_view(), name="meetings"),
    path("meetings/<uuid:public_id>/", api.MeetingDetail.as_view(), name="meeting"),
    path("meetings/<uuid:public_id>/answer/", api.MeetingAnswer.as_view(), name="meeting-answer"),
    path("availability/", availability_api.AvailabilityApi.as_view(), name="availability-api"),
    path("slots/", availability_api.SlotsApi.as_view(), name="slots-api"),
    path("directory/", api.Directory.as_view(), name="directory"),
]
