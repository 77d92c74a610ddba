"""The API's own pages and what is not about meetings, below /api/v1/."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from suite.portal.api_docs import api_docs
from suite.portal.presence_api import PresenceApi
from suite.portal.unknown_api import UnknownApi

urlpatterns = [
    path("presence/", PresenceApi.as_view(), name="presence-api"),
    path(
        "schema/",
        login_not_required(SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[])),
        name="api-schema",
    ),
    path("docs/", api_docs, name="api-docs"),
    # The last of all below /api/v1/.
    re_path("", login_not_required(UnknownApi.as_view()), name="api-unknown"),
]
