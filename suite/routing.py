"""Every WebSocket address: wiring only."""

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from suite.live.origin import refuse
from suite.live.routing import websocket_urlpatterns as live
from visio.rooms.routing import websocket_urlpatterns as rooms

# An address of nobody is refused; without a last route Channels would raise, and whoever knocks could fill the log.
nowhere: Any = re_path("", refuse)  # type: ignore[arg-type]  # typed for HTTP views
websockets = URLRouter([*live, *rooms, nowhere])
