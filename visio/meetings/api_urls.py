"""Addresses of the meetings' API, below /api/v1/."""

from django.urls import path

from visio.meetings import api

urlpatterns = [
    path("meetings/", api.MeetingList.as_view(), name="meetings"),
    path("meetings/<uuid:public_id>/", api.MeetingDetail.as_view(), name="meeting"),
    path("meetings/<uuid:public_id>/answer/", api.MeetingAnswer.as_view(), name="meeting-answer"),
    path("directory/", api.Directory.as_view(), name="directory"),
]
