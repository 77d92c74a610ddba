"""The SMTP side, on aiosmtpd."""

import asyncio
import itertools

from aiosmtpd.smtp import SMTP, Envelope, Session

from suite.local.catcher.rules import Rules
from suite.local.catcher.store import Store

MOST_BYTES = 20 * 1024 * 1024


class CatcherHandler:
    """Takes every message, unless a rule says otherwise."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self.store = store
        self.rules = rules
        self._connections = itertools.count(1)
        self._number: dict[int, int] = {}

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._number[id(session)] = next(self._connections)
        # As every relay in use does (RFC 2920): aiosmtpd reads what comes early when its turn comes.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.rules.refusal(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = [str(recipient) for recipient in envelope.rcpt_tos]
        wait = max((self.rules.delay(recipient) for recipient in recipients), default=0.0)
        if wait:
            await asyncio.sleep(wait)
        summary = self.store.add(
            raw=bytes(envelope.original_content or b""),
            sender=str(envelope.mail_from or ""),
            recipients=recipients,
            connection=self._number.get(id(session), 0),
        )
        # Every recipient's rule counts as used, so not `any`, which stops at the first.
        losing = [recipient for recipient in recipients if self.rules.loses_reply(recipient)]
        if losing and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return f"250 OK: kept as {summary.id}"


async def listen(*, port: int, store: Store, rules: Rules) -> asyncio.Server:
    handler = CatcherHandler(store, rules)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(handler, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop),
        host="127.0.0.1",
        port=port,
    )
