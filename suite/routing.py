"""Every WebSocket address: wiring only."""

from importlib import import_module
from importlib.util import find_spec

from channels.routing import URLRouter

MODULES = ["suite.live.routing", "visio.rooms.routing"]

websockets = URLRouter(
    [route for name in MODULES if find_spec(name) for route in import_module(name).websocket_urlpatterns]
)
