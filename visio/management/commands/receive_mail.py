"""`manage.py receive_mail`: take the answers of guests' calendars, over SMTP or LMTP."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from visio.inbox.listener import Place, serve

logger = logging.getLogger("visio.inbox")


class Command(BaseCommand):
    help = (
        "Receive the mail of REPLY_DOMAIN: guests' calendars answer there. SMTP, or LMTP behind a mail server, on "
        "INBOUND_HOST:INBOUND_PORT; STARTTLS with INBOUND_TLS_CERT and INBOUND_TLS_KEY. SIGTERM finishes what is in hand."
    )
    # Tchap's or a page's misconfiguration is told where it matters; guests' answers are taken all the same.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP (RFC 2033) instead of SMTP")
        parser.add_argument("--timeout", type=float, default=60.0, help="seconds that a sender may be silent (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REPLY_DOMAIN:
            raise CommandError("Set REPLY_DOMAIN: without it nobody knows an address to write to.")
        place = Place(
            host=settings.INBOUND_HOST,
            port=settings.INBOUND_PORT,
            name=settings.REPLY_DOMAIN,
            is_lmtp=options["lmtp"],
            tls=_tls(),
            timeout=options["timeout"],
        )
        # It names every sender and recipient.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        try:
            asyncio.run(_run(place))
        except OSError as error:
            raise CommandError(f"Cannot listen on {place.host}:{place.port}: {error.strerror}") from error


async def _run(place: Place) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def ready() -> None:
        logger.info("receiving %s on %s:%d", "LMTP" if place.is_lmtp else "SMTP", place.host, place.port)

    await serve(place, until=stop, when_ready=ready)


def _tls() -> ssl.SSLContext | None:
    if not settings.INBOUND_TLS_CERT:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.INBOUND_TLS_CERT, settings.INBOUND_TLS_KEY or None)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"INBOUND_TLS_CERT and INBOUND_TLS_KEY cannot be read: {error}") from error
    return context
