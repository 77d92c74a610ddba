"""The API's own pages and what is not about meetings, below /api/v1/."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from suite.portal.presence_api import PresenceApi

urlpatterns = [
    path("presence/", PresenceApi.as_view(), name="presence-api"),
    path(
        "schema/",
        login_not_required(SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[])),
        name="api-schema",
    ),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="portal/api_docs.html"),
        name="api-docs",
    ),
]
