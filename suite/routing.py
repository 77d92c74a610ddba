"""Every WebSocket address: wiring only."""

from channels.routing import URLRouter

from suite.live.routing import websocket_urlpatterns as live
from visio.rooms.routing import websocket_urlpatterns as rooms

websockets = URLRouter([*live, *rooms])
