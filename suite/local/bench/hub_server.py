"""The server of the bench `hub`: the portal's live socket, and beside it the same news over a channel-layer group."""

import os
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite.settings.dev")

django_application = get_asgi_application()

from suite.live.routing import websocket_urlpatterns  # noqa: E402  models load only after the set-up above

GROUP = "bench"


class GroupSocket(AsyncWebsocketConsumer):
    """What a channel layer makes of the same task: every socket subscribes to a group."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def bench_news(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])


# django.urls.path is typed for HTTP views; Channels routes ASGI applications with it.
group_socket: Any = GroupSocket.as_asgi()
routes: Any = [*websocket_urlpatterns, path("group/", group_socket)]
application = ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(routes)})
