"""The portal's mailbox: an SMTP or LMTP server for reply addresses and nothing else (RFC 5321, RFC 2033).

- Not a relay: only addresses that the portal gave out are taken, one for each message; the others get 550 before any data.
- 250 is said once the message is committed; while the database is away the sender hears 451 and tries again.
- Bounded: size, connections, time for each command, bytes for each message, and database work at a time.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from visio.inbox.acting import TooManyMessages, receive
from visio.inbox.parsing import MOST_BYTES, hops
from visio.meetings.reply_addresses import public_id_by_reply_address

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 50
# Messages kept at the same time; each holds a connection to the database.
WORKERS = 4
# RFC 5321 §6.3.
_MOST_HOPS = 100
# The parser reads on after a message that is too long, to say so; nobody may make it read for ever.
_MOST_BYTES_READ = 16 * MOST_BYTES
_SECONDS_TO_KEEP = 60.0
_SECONDS_TO_FINISH = 10.0

AWAY = "451 4.3.0 Temporarily unable to keep messages, try again later"
NO_SUCH_ADDRESS = "550 5.1.1 No such address here"


@dataclass(frozen=True)
class Place:
    """Where and how to listen. `timeout`: seconds that a sender may be silent, or take for one message."""

    host: str
    port: int
    name: str
    is_lmtp: bool = False
    tls: ssl.SSLContext | None = None
    timeout: float = 60.0


class Reception:
    """What the server does with commands: aiosmtpd calls `handle_…`."""

    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self.workers = workers

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # Nobody signs in here.
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_VRFY(self, server: SMTP, session: Session, envelope: Envelope, address: str) -> str:
        return "252 2.1.5 Send some mail and see"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if public_id_by_reply_address(address) is None:
            return NO_SUCH_ADDRESS
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = bytes(envelope.original_content or b"")
        if hops(raw) > _MOST_HOPS:
            return "554 5.4.6 Routing loop"
        keep = partial(_keep, str(envelope.mail_from or ""), str(envelope.rcpt_tos[0]), raw)
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.run_in_executor(self.workers, keep), _SECONDS_TO_KEEP)
        except (OperationalError, InterfaceError, TimeoutError) as away:
            logger.warning("a message could not be kept (%s): its sender will try again", type(away).__name__)
            return AWAY
        except TooManyMessages:
            return "452 4.2.2 Too many messages for this address, try again tomorrow"
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """What nobody foresaw: told in the log, and the sender keeps the message."""
        logger.error("a message could not be kept", exc_info=error)
        return AWAY


def _keep(envelope_from: str, envelope_to: str, raw: bytes) -> None:
    try:
        receive(envelope_from=envelope_from, envelope_to=envelope_to, raw=raw, now=timezone.now())
    finally:
        connection.close()


class _Door(SMTP):
    """One connection: counted, bounded, and able to leave when it is asked to."""

    doors: set[_Door]
    busy = False
    leaving = False
    _bytes_read = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Once more after STARTTLS.
        self.doors.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.doors.discard(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._bytes_read += len(data)
        if self._bytes_read > _MOST_BYTES_READ:
            if isinstance(self.transport, asyncio.Transport):
                self.transport.abort()
            return
        super().data_received(data)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        self.busy = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self.busy = False
            self._bytes_read = 0
        if self.leaving:
            await self.leave()

    async def leave(self) -> None:
        """Say so and hang up; after the message in hand, when there is one."""
        self.leaving = True
        if not self.busy and self.transport is not None:
            await self.push("421 4.3.2 Closing, come back soon")
            self.transport.close()


class _SmtpDoor(_Door):
    pass


class _LmtpDoor(_Door, LMTP):
    # RFC 2033 wants one reply after DATA for each recipient: there is one.
    pass


class _Full(asyncio.Protocol):
    """There are as many connections as can be served."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(b"421 4.3.2 Too many connections, come back soon\r\n")
        transport.close()


async def serve(place: Place, *, until: asyncio.Event, when_ready: Callable[[], None]) -> None:
    """Listen until told to stop; messages in hand are finished first."""
    loop = asyncio.get_running_loop()
    doors: set[_Door] = set()
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="inbox") as workers:
        reception = Reception(workers)

        def door() -> asyncio.Protocol:
            if len(doors) >= MOST_CONNECTIONS:
                return _Full()
            made = (_LmtpDoor if place.is_lmtp else _SmtpDoor)(
                reception,
                data_size_limit=MOST_BYTES,
                enable_SMTPUTF8=True,
                hostname=place.name,
                ident="Portail",
                tls_context=place.tls,
                timeout=place.timeout,
                auth_exclude_mechanism=["LOGIN", "PLAIN"],
                loop=loop,
            )
            made.doors = doors
            return made

        server = await loop.create_server(door, host=place.host, port=place.port, backlog=MOST_CONNECTIONS)
        when_ready()
        await until.wait()
        server.close()
        for one in list(doors):
            await one.leave()
        end = loop.time() + _SECONDS_TO_FINISH
        while doors and loop.time() < end:
            await asyncio.sleep(0.02)
