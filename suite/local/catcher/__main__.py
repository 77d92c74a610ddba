"""`python -m suite.local.catcher --folder F --smtp-port N --page-port M`."""

import argparse
import asyncio
import signal
import threading
from pathlib import Path

from suite.local.catcher.rules import Rules
from suite.local.catcher.smtp import listen
from suite.local.catcher.store import Store
from suite.local.catcher.web import CatcherServer


async def serve(*, folder: Path, smtp_port: int, page_port: int) -> None:
    store = Store(folder)
    rules = Rules()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await listen(port=smtp_port, store=store, rules=rules):
        page = CatcherServer(page_port, store, rules)
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
    options = parser.parse_args()
    asyncio.run(serve(folder=options.folder, smtp_port=options.smtp_port, page_port=options.page_port))


if __name__ == "__main__":
    main()
