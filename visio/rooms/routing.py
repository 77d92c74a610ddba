"""The call's socket, behind the same gate as every socket: the portal's own Origin, then the session."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import path

from suite.live.origin import PortalOrigin
from visio.rooms.consumers import CallConsumer

# django.urls.path is typed for HTTP views, AuthMiddlewareStack for asgiref's dictionaries; Channels routes ASGI applications.
session: Any = AuthMiddlewareStack(CallConsumer.as_asgi())
guarded: Any = PortalOrigin(session)
websocket_urlpatterns = [path("ws/appel/<slug:slug>/", guarded)]
