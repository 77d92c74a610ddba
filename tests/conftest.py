"""Fixtures for every test; the parts behind them are chosen in tests/services.py."""

import contextlib
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
import redis
from django.db import connection
from django.test import TransactionTestCase

from suite.local import ports
from suite.local.parts import homeserver as homeserver_part
from suite.local.parts import mailcatcher, valkey
from suite.local.parts.part import Part
from suite.local.parts.postgres import Postgres
from tests import emptying
from tests.looking import Mailbox, Matrix
from tests.processes import CeleryProcess, LivePortal, working_database
from tests.services import services

hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("suite")

SomePart = TypeVar("SomePart", bound=Part)


# --- what every test has ----------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """PostgreSQL starts at the first test that wants a database."""
    services.need(services.postgres)


@pytest.fixture(scope="session", autouse=True)
def _quick_emptying() -> Iterator[None]:
    """Tests that commit leave the database as Django's flush would, in a tenth of its time."""

    def empty(case: TransactionTestCase) -> None:
        for alias in case._databases_names(include_mirrors=False):
            emptying.empty(alias)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(scope="session")
def redis_client() -> Iterator["redis.Redis"]:
    """The worker's own Valkey."""
    services.need_own(services.valkey)
    with redis.Redis.from_url(services.valkey.url) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(redis_client: "redis.Redis") -> None:
    redis_client.flushall()


# --- looking from outside ---------------------------------------------------------------------------------------
@pytest.fixture
def mailbox(settings: Any) -> Mailbox:
    """The mail catcher, empty and well-behaved; mail of this process goes there too (not to Django's outbox)."""
    services.need_own(services.mail)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    box = Mailbox(services.mail)
    box.behave()
    box.clear()
    return box


@pytest.fixture
def homeserver(settings: Any) -> Matrix:
    """The shared homeserver with its bot; this process and the ones that the test starts hold the bot's token."""
    services.need(services.homeserver)
    settings.MATRIX_ACCESS_TOKEN = services.homeserver.bot_token
    return Matrix(services.homeserver)


@pytest.fixture
def identity_provider() -> str:
    """The address of the shared identity provider, running."""
    services.need(services.idp)
    return services.idp.url


# --- the portal's own processes ---------------------------------------------------------------------------------
def _variables(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a portal process in this test, which shares the test's database, Valkey and catcher."""
    variables = {**os.environ, **services.variables}
    variables.pop("PYTEST_CURRENT_TEST", None)  # It differs from test to test: no kept process would ever be the same.
    variables["DATABASE_URL"] = working_database(str(connection.settings_dict["NAME"]))
    if "homeserver" in request.fixturenames:
        request.getfixturevalue("homeserver")
        variables["MATRIX_ACCESS_TOKEN"] = services.homeserver.bot_token
    return variables


@pytest.fixture
def start_portal(
    request: pytest.FixtureRequest, transactional_db: None, mailbox: Mailbox, tmp_path: Path
) -> Iterator[Callable[..., LivePortal]]:
    """`start_portal(REDIS_URL=…)`: one more portal for this test alone, its environment changed as told.

    With `port` (from ports.reserve()) its address can be told to somebody before it runs.
    """
    with contextlib.ExitStack() as stack:

        def start(port: int | None = None, **changes: str) -> LivePortal:
            port = port or ports.reserve()
            variables = {**_variables(request), "PORTAL_URL": f"http://localhost:{port}", **changes}
            part = LivePortal(tmp_path / f"portal-{port}", port, variables)
            stack.callback(part.stop)
            part.start()
            return part

        yield start


@pytest.fixture(scope="session")
def _kept_portal() -> Iterator[dict[str, LivePortal]]:
    """Daphne stays between tests of a worker; only the rows and the keys go."""
    kept: dict[str, LivePortal] = {}
    yield kept
    for part in kept.values():
        part.stop()


@pytest.fixture
def live_portal(
    request: pytest.FixtureRequest, transactional_db: None, mailbox: Mailbox, _kept_portal: dict[str, LivePortal]
) -> LivePortal:
    """The portal under daphne on the test's database, at `.url` (which is also settings.PORTAL_URL)."""
    variables = _variables(request)
    kept = _kept_portal.get("portal")
    if kept is None or not kept.running or kept.variables != variables:
        if kept is not None:
            kept.stop()
        kept = LivePortal(services.own_folder, services.portal_port, variables)
        kept.start()
        _kept_portal["portal"] = kept
    return kept


@pytest.fixture
def start_celery(
    request: pytest.FixtureRequest, transactional_db: None, mailbox: Mailbox, tmp_path: Path
) -> Iterator[Callable[..., CeleryProcess]]:
    """`start_celery("worker", "--concurrency", "1", variables={"REDIS_URL": …})`, also "beat"."""
    with contextlib.ExitStack() as stack:

        def start(role: str, *options: str, variables: Mapping[str, str] | None = None) -> CeleryProcess:
            folder = tmp_path / f"celery-{ports.reserve()}"
            part = CeleryProcess(folder, {**_variables(request), **(variables or {})}, role=role, options=options)
            stack.callback(part.stop)
            part.start()
            return part

        yield start


@pytest.fixture
def celery_worker(start_celery: Callable[..., CeleryProcess]) -> CeleryProcess:
    """A Celery worker (two children) on the test's database and queue; `.kill()`, `.start()`, `.logged()`."""
    return start_celery("worker", "--concurrency", "2", "--without-mingle", "--without-gossip", "--without-heartbeat")


@pytest.fixture
def celery_beat(start_celery: Callable[..., CeleryProcess]) -> CeleryProcess:
    """Celery Beat, sweeping every second."""
    return start_celery("beat", "--max-interval", "1")


# --- parts that a test may break --------------------------------------------------------------------------------
class OwnParts:
    """Parts for one test alone, to be killed, stopped and started again: `.kill()`, `.stop()`, `.start()`, `.url`."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack

    def _started(self, part: SomePart) -> SomePart:
        self.stack.callback(part.stop)
        part.start()
        return part

    def valkey(self) -> valkey.Valkey:
        return self._started(valkey.Valkey(self._place("valkey"), ports.reserve()))

    def postgres(self) -> Postgres:
        """An empty cluster (superuser, database `portail`), without the portal's tables."""
        return self._started(Postgres(self._place("postgres"), ports.reserve(), durable=False))

    def mailcatcher(self) -> mailcatcher.MailCatcher:
        part = mailcatcher.MailCatcher(self._place("mail"), ports.reserve(), page_port=ports.reserve())
        return self._started(part)

    def homeserver(
        self, *, appservice_url: str = "http://localhost:9", rate_limited: bool = False
    ) -> homeserver_part.Homeserver:
        """A homeserver whose application service pushes to `appservice_url` (a live portal's address)."""
        return self._started(
            homeserver_part.Homeserver(
                self._place("homeserver"),
                ports.reserve(),
                appservice_url=appservice_url,
                people=False,
                rate_limited=rate_limited,
            )
        )

    def _place(self, name: str) -> Path:
        folder = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        folder.mkdir(parents=True)
        return folder


@pytest.fixture
def own_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnParts]:
    with contextlib.ExitStack() as stack:
        yield OwnParts(tmp_path_factory.mktemp("parts"), stack)


# --- browsers ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium with a fake camera and microphone; its tests are skipped where there is none.

    Playwright keeps an event loop in this thread as long as it runs, hence once a module, not once a run: asyncio
    tests of other modules would find it in their way, and Django would refuse the ORM.
    """
    from tests import browsing

    if not browsing.CHROMIUM.exists():
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with browsing.running_browser() as running:
            yield running
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def visitors(browser: Any, live_portal: LivePortal) -> Iterator[Any]:
    """Pages of this test on the live portal: `visitors.page_as(agent, "/path/", viewport=…, dark=…)`."""
    from tests.browsing import Visitors

    found = Visitors(browser, live_portal.url)
    yield found
    found.close()


@pytest.fixture
def browser_page_as(visitors: Any) -> Callable[..., Any]:
    """`browser_page_as(agent, "/path/")`: a Playwright page signed in as `agent`, in a profile of its own."""
    open_page: Callable[..., Any] = visitors.page_as
    return open_page


# Fixtures that start or drive a program beside the test's own process.
OTHER_PROGRAMS = frozenset(
    {
        "browser",
        "homeserver",
        "celery_worker",
        "celery_beat",
        "start_celery",
        "live_portal",
        "start_portal",
        "own_parts",
    }
)


# Modules with a test of a minute or more: begun last, every other worker would wait for it.
LONG = frozenset({"test_crowds.py", "test_benching.py", "test_guest_calendars.py"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses a browser or a homeserver, or lives in tests/faults, carries the marker by itself.

    A test that waits for other programs (docs/decisions/017) may try once more, and says so. The longest come first.
    """
    items.sort(key=lambda item: item.path.name not in LONG)
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "browser" in names:
            item.add_marker(pytest.mark.browser)
        if "homeserver" in names:
            item.add_marker(pytest.mark.homeserver)
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.faults)
        if OTHER_PROGRAMS & set(names):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """All that is loaded by now stays to the end: the collector need not look through it hundreds of times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
