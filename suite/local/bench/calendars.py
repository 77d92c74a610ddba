"""One agent's week, free/busy of ten and slots of fifty, at 1,000 and 100,000 agents; beside Radicale over HTTP.

The measured calendars hold 200 and 2,000 meetings each in the year around now, one in twenty a weekly series; Radicale
holds the same ones and must give the same answers. The portal is measured twice: the statement and its rows in this
process, and over HTTP through daphne (`/api/v1/agenda/`, `/api/v1/availability/`). Databases are
copies of the bench's own, filled by set-based SQL and dropped at the end.
BENCH_AGENTS=10000 for a shorter run.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from suite.agents.models import Agent
from suite.agents.tokens import issue_token
from suite.local import places, ports
from suite.local.bench import caldav, crowd, size
from suite.local.bench.caldav import Radicale
from suite.local.bench.crowd import Event
from suite.local.bench.daphne import Daphne
from visio.meetings.availability import busy
from visio.meetings.queries import agenda
from visio.meetings.slot_search import Wanted, find_slots

FEW = size(1_000, 40)
MANY = int(os.environ.get("BENCH_AGENTS", "0")) or size(100_000, 80)
SIZES = (size(200, 10), size(2_000, 20))
MEASURED = size(10, 2)
SEARCHED = size(50, 6)
CALLS = size(200, 3)
TURNS = size(4, 1)
HTTP_CALLS = size(60, 2)
# Radicale needs seconds for what the portal does in milliseconds.
SLOW_CALLS = size(3, 1)
FLAT = 1.3
MONDAY = dt.datetime.combine(
    timezone.now().date() - dt.timedelta(days=timezone.now().weekday()), dt.time(), tzinfo=dt.UTC
)
WEEK = (MONDAY, MONDAY + dt.timedelta(days=7))


@dataclass(frozen=True)
class Cost:
    """Milliseconds."""

    median: float
    p95: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ms (p95 {self.p95:.2f})"


class Server(Daphne):
    """Daphne on the database that Django's connection leads to."""

    def environment(self) -> dict[str, str]:
        known = connection.settings_dict
        url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
        return {**super().environment(), "DATABASE_URL": url}


def main() -> None:
    """Print the costs, whether they stay flat, and the ratios to the yardstick."""
    calendars = {
        count: [crowd.events(1000 * count + number, count, monday=MONDAY) for number in range(MEASURED)]
        for count in SIZES
    }
    with (
        crowd.database("bench_few"),
        crowd.database("bench_many"),
        tempfile.TemporaryDirectory(dir=places.shared_folder()) as scratch,
    ):
        people = {}
        for name, agents in (("bench_few", FEW), ("bench_many", MANY)):
            crowd.use(name)
            began = time.perf_counter()
            people[name] = crowd.fill(agents, calendars)
            print(f"{agents:,} agents: filled in {time.perf_counter() - began:.0f} s", flush=True)
        ours = _flat(people)
        crowd.use("bench_many")
        _slots(people["bench_many"])
        over_http = _over_http(Path(scratch), people["bench_many"])
        _beside(Path(scratch), calendars, people["bench_many"], ours, over_http)


def _flat(people: dict[str, dict[int, list[int]]]) -> dict[tuple[str, int], Cost]:
    """Week and free/busy at both sizes, in turns; answers the costs at MANY."""
    spent: dict[tuple[str, int, str], list[float]] = {}
    for _turn in range(TURNS):
        for name, measured in people.items():
            crowd.use(name)
            for count, ids in measured.items():
                viewer = Agent.objects.get(pk=ids[0])
                spent.setdefault(("week", count, name), []).extend(_times(_week_of(ids, viewer)))
                spent.setdefault(("free/busy", count, name), []).extend(_times(_busy_of(ids, viewer)))
    costs = {key: _cost(times) for key, times in spent.items()}
    words = {"week": "one agent's week", "free/busy": f"free/busy of {MEASURED}, one week"}
    for what, sentence in words.items():
        for count in SIZES:
            few, many = costs[what, count, "bench_few"], costs[what, count, "bench_many"]
            ratio = many.median / few.median
            print(
                f"{sentence}, {count:,} events each: {few} at {FEW:,} agents, {many} at {MANY:,}:"
                f" × {ratio:.2f} ({'flat' if ratio <= FLAT else 'NOT flat'}, promised × {FLAT})",
                flush=True,
            )
    return {(what, count): costs[what, count, "bench_many"] for what in words for count in SIZES}


def _week_of(ids: Sequence[int], viewer: Agent) -> Callable[[int], Any]:
    return lambda number: agenda([ids[number % len(ids)]], *WEEK, viewer)


def _busy_of(ids: Sequence[int], viewer: Agent) -> Callable[[int], Any]:
    return lambda _number: busy(ids, *WEEK, viewer=viewer)


def _slots(measured: dict[int, list[int]]) -> None:
    """Fifty attendees over fourteen days: the measured ones, and colleagues."""
    ids = [one for count in SIZES for one in measured[count]][:SEARCHED]
    others = Agent.objects.exclude(pk__in=ids).order_by("-pk")[: SEARCHED - len(ids)]
    everybody = [*Agent.objects.filter(pk__in=ids).order_by("pk"), *others]
    # The busiest cannot all be required, or there is nothing to find.
    required = everybody[: SEARCHED // 2 : 5] + everybody[-SEARCHED // 4 :]
    chosen = {one.pk for one in required}
    optional = [one for one in everybody if one.pk not in chosen]
    wanted = Wanted(
        minutes=30,
        start=MONDAY,
        end=MONDAY + dt.timedelta(days=14),
        zone="Europe/Paris",
        required=required,
        optional=optional,
    )
    found = find_slots(wanted, viewer=everybody[0], now=MONDAY)
    cost = _cost(_times(lambda _number: find_slots(wanted, viewer=everybody[0], now=MONDAY), CALLS // 4 or 1))
    print(
        f"slots for {len(everybody)} attendees over 14 days at {MANY:,} agents: {cost}, {len(found)} found", flush=True
    )


def _over_http(scratch: Path, measured: dict[int, list[int]]) -> dict[tuple[str, int], Cost]:
    """The same two questions through daphne, with a personal token, on one kept connection."""
    server = Server(scratch, ports.reserve())
    server.start()
    try:
        with contextlib.closing(http.client.HTTPConnection("localhost", server.port, timeout=60)) as kept:
            costs = {}
            for count, ids in measured.items():
                agents = list(Agent.objects.filter(pk__in=ids))
                _token, secret = issue_token(agent=agents[0], name="Banc", days=1, now=timezone.now())
                window = {"from": f"{WEEK[0]:%Y-%m-%dT%H:%M:%SZ}", "to": f"{WEEK[1]:%Y-%m-%dT%H:%M:%SZ}"}
                whose = [("agents", str(agent.public_id)) for agent in agents]
                busy_path = f"/api/v1/availability/?{urlencode([*whose, *window.items()])}"
                week_path = f"/api/v1/agenda/?{urlencode(window)}"
                costs["free/busy", count] = _cost(_times(_getting(kept, busy_path, secret), HTTP_CALLS, warm=5))
                costs["week", count] = _cost(_times(_getting(kept, week_path, secret), HTTP_CALLS, warm=5))
            return costs
    finally:
        server.stop()


def _getting(kept: http.client.HTTPConnection, path: str, secret: str) -> Callable[[int], Any]:
    """Read `path`; how many it holds."""
    headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json"}

    def get(_number: int) -> int:
        kept.request("GET", path, headers=headers)
        answer = kept.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]
        return len(json.loads(body)["results"])

    return get


def _beside(
    scratch: Path,
    calendars: dict[int, list[list[Event]]],
    measured: dict[int, list[int]],
    ours: dict[tuple[str, int], Cost],
    over_http: dict[tuple[str, int], Cost],
) -> None:
    """The same questions to Radicale, after one round that fills its cache; the answers must be the same."""
    server = Radicale(scratch, ports.reserve())
    users = {count: [f"u{count}n{number}" for number in range(MEASURED)] for count in SIZES}
    for count in SIZES:
        for user, events in zip(users[count], calendars[count], strict=True):
            server.write(user, events)
    server.start()
    try:
        with caldav.client(server) as kept:
            for count in SIZES:
                _same_answers(kept, users[count], measured[count])

                def week(number: int, names: Sequence[str] = users[count]) -> Any:
                    return caldav.week(kept, names[number % MEASURED], *WEEK)

                def ten(_number: int, names: Sequence[str] = users[count]) -> Any:
                    return [caldav.free_busy(kept, name, *WEEK) for name in names]

                one, all_of_them = _cost(_times(week, SLOW_CALLS * 3, warm=0)), _cost(_times(ten, SLOW_CALLS, warm=0))
                for what, sentence, theirs in (
                    ("week", f"one agent's week, {count:,} events", one),
                    ("free/busy", f"free/busy of {MEASURED}, {count:,} events each", all_of_them),
                ):
                    _say(f"{sentence}, portal without HTTP", ours[what, count], theirs)
                    _say(f"{sentence}, both over HTTP", over_http[what, count], theirs)
    finally:
        server.stop()


def _same_answers(kept: http.client.HTTPConnection, users: Sequence[str], ids: Sequence[int]) -> None:
    viewer = Agent.objects.get(pk=ids[0])
    ours = busy(ids, *WEEK, viewer=viewer)
    for user, agent_id in zip(users, ids, strict=True):
        theirs = _merged(caldav.free_busy(kept, user, *WEEK))
        assert theirs == [(one.starts_at, one.ends_at) for one in ours[agent_id]], user
        in_week = agenda([agent_id], *WEEK, Agent.objects.get(pk=agent_id))
        assert caldav.week(kept, user, *WEEK) == len({one.public_id for one in in_week}), user


def _merged(spans: Sequence[tuple[dt.datetime, dt.datetime]]) -> list[tuple[dt.datetime, dt.datetime]]:
    merged: list[tuple[dt.datetime, dt.datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _say(what: str, ours: Cost, theirs: Cost) -> None:
    print(f"{what}: portal {ours}, Radicale {theirs}, ratio: {theirs.median / ours.median:.1f}", flush=True)


def _times(ask: Callable[[int], Any], calls: int = CALLS, warm: int = 10) -> list[float]:
    for number in range(warm):
        ask(number)
    spent = []
    for number in range(calls):
        began = time.perf_counter()
        ask(number)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


def _cost(times: Sequence[float]) -> Cost:
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return Cost(statistics.median(times), min(p95, max(times)))
