"""Addresses of the polls' API, below /api/v1/."""

from django.urls import path

from visio.polls import api

urlpatterns = [
    path("polls/", api.PollList.as_view(), name="polls"),
    path("polls/<uuid:public_id>/", api.PollDetail.as_view(), name="poll"),
    path("polls/<uuid:public_id>/vote/", api.PollAnswer.as_view(), name="poll-vote"),
    path("polls/<uuid:public_id>/choose/", api.PollChoose.as_view(), name="poll-choose"),
    path("polls/<uuid:public_id>/close/", api.PollClose.as_view(), name="poll-close"),
]
