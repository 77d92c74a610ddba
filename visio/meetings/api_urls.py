"""Addresses of the meetings' API, below /api/v1/."""

from django.urls import path

from visio.meetings import agenda_api, api, availability_api, counters_api, dates_api

urlpatterns = [
    path("meetings/", api.MeetingList.as_view(), name="meetings"),
    path("meetings/<uuid:public_id>/", api.MeetingDetail.as_view(), name="meeting"),
    path("meetings/<uuid:public_id>/answer/", api.MeetingAnswer.as_view(), name="meeting-answer"),
    path("meetings/<uuid:public_id>/undo/", api.MeetingUndo.as_view(), name="meeting-undo"),
    path("meetings/<uuid:public_id>/occurrences/", dates_api.OccurrenceList.as_view(), name="occurrences"),
    path("meetings/<uuid:public_id>/occurrences/<slug:key>/", dates_api.OccurrenceDetail.as_view(), name="occurrence"),
    path(
        "meetings/<uuid:public_id>/occurrences/<slug:key>/answer/",
        dates_api.OccurrenceAnswer.as_view(),
        name="occurrence-answer",
    ),
    path("meetings/<uuid:public_id>/counters/", counters_api.CounterList.as_view(), name="counters"),
    path(
        "meetings/<uuid:public_id>/counters/<uuid:counter_id>/accept/",
        counters_api.CounterAccept.as_view(),
        name="counter-accept",
    ),
    path(
        "meetings/<uuid:public_id>/counters/<uuid:counter_id>/refuse/",
        counters_api.CounterRefuse.as_view(),
        name="counter-refuse",
    ),
    path("agenda/", agenda_api.AgendaApi.as_view(), name="agenda-api"),
    path("availability/", availability_api.AvailabilityApi.as_view(), name="availability-api"),
    path("slots/", availability_api.SlotsApi.as_view(), name="slots-api"),
    path("directory/", api.Directory.as_view(), name="directory"),
]
