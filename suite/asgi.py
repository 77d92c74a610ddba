"""The ASGI application: HTTP to Django, WebSockets to Channels."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite.settings.dev")

django_application = get_asgi_application()

from suite.routing import websockets  # noqa: E402  models load only after the set-up above

application = ProtocolTypeRouter({"http": django_application, "websocket": websockets})
