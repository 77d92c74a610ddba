"""Every WebSocket address: wiring only."""

from channels.routing import URLRouter

websockets = URLRouter([])
