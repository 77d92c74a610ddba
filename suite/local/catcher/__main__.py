"""`python -m suite.local.catcher --folder F --smtp-port N --page-port M [--reply-port R]`."""

import argparse
import asyncio
import signal
import threading
from pathlib import Path

from suite.local.catcher.rules import Rules
from suite.local.catcher.smtp import listen
from suite.local.catcher.store import Store
from suite.local.catcher.web import CatcherServer


async def serve(*, folder: Path, smtp_port: int, page_port: int, reply_port: int) -> None:
    store = Store(folder)
    rules = Rules()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await listen(port=smtp_port, store=store, rules=rules):
        page = CatcherServer(page_port, store, rules, reply_port=reply_port)
        thread = threading.Thread(target=page.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        await stop.wait()
        page.shutdown()
        page.server_close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--page-port", type=int, required=True)
    parser.add_argument("--reply-port", type=int, default=0, help="where guests' answers go (0: no buttons)")
    options = parser.parse_args()
    asyncio.run(
        serve(
            folder=options.folder,
            smtp_port=options.smtp_port,
            page_port=options.page_port,
            reply_port=options.reply_port,
        )
    )


if __name__ == "__main__":
    main()
