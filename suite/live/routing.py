"""The live socket's address."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import path

from suite.live.consumers import live_socket
from suite.live.origin import PortalOrigin

# django.urls.path is typed for HTTP views; Channels routes ASGI applications with it.
signed_in: Any = AuthMiddlewareStack(live_socket)
guarded: Any = PortalOrigin(signed_in)
websocket_urlpatterns = [path("ws/live/", guarded)]
