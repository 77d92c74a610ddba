"""Database and Redis work asked for by sockets, off the event loop, in a few threads of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")
# Few, so that a thousand sockets coming back at once leave connections of the pool to the pages.
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work()` returns, with database connections given back to the pool afterwards."""
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(_with_connections, work))


def _with_connections(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
