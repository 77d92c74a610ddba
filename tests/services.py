"""The real parts that tests stand on, chosen before Django reads its settings (an early plugin: `-p tests.services`).

PostgreSQL, the identity provider and the homeserver are shared by every pytest-xdist worker and started at their first
use, once, by whoever comes first (a file lock); a worker has its own Valkey and its own mail catcher. Nothing outlives
the run: every part ends with the process that began it. PORTAL_TEST_SERVICES (JSON, see `Shared`) names parts that are
there already; pytest-xdist's workers learn of their controller's in this way.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import pytest

from suite import catalogs
from suite.local import environment, keeper, places, ports, secrets_file
from suite.local.parts import postgres
from suite.local.parts.homeserver import Homeserver
from suite.local.parts.idp import IdentityProvider
from suite.local.parts.mailcatcher import MailCatcher
from suite.local.parts.part import Part
from suite.local.parts.postgres import Postgres
from suite.local.parts.valkey import Valkey

VARIABLE = "PORTAL_TEST_SERVICES"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


@dataclass(frozen=True)
class Shared:
    """Where the shared parts are (or will be): a folder, their ports, and the process they end with."""

    folder: str
    owner: int
    postgres: int
    idp: int
    homeserver: int


class Services:
    """What one pytest process uses."""

    def __init__(self) -> None:
        told = os.environ.get(VARIABLE)
        self.is_owner = told is None
        self.at_the_end = contextlib.ExitStack()
        if told is None:
            places.shared_folder().mkdir(exist_ok=True)
            folder = tempfile.mkdtemp(prefix="tests-", dir=places.shared_folder())
            Path(folder).chmod(0o711)  # PostgreSQL may have to run as another user, who must get through.
            self.shared = Shared(folder, os.getpid(), ports.reserve(), ports.reserve(), ports.reserve())
            self.at_the_end.enter_context(places.own_scratch(Path(folder)))
            os.environ[VARIABLE] = json.dumps(asdict(self.shared))
        else:
            self.shared = Shared(**json.loads(told))
        self.folder = Path(self.shared.folder)
        with self._alone("secrets"):
            self.secrets = secrets_file.load(self.folder)
        self.own_folder = self.folder / (WORKER or "main")
        self.own_folder.mkdir(exist_ok=True)
        # One address a worker, so that links made in this process and in the ones it starts are the same.
        self.portal_port = ports.reserve()
        self.portal_url = f"http://localhost:{self.portal_port}"
        self.postgres = Postgres(self.folder, self.shared.postgres, durable=False)
        self.idp = IdentityProvider(self.folder, self.shared.idp, portal_url="http://localhost", any_loopback_port=True)
        self.homeserver = Homeserver(
            self.folder, self.shared.homeserver, appservice_url="http://localhost:9", people=False
        )
        self.valkey = Valkey(self.own_folder, ports.reserve())
        self.mail = MailCatcher(self.own_folder, ports.reserve(), page_port=ports.reserve())

    @cached_property
    def variables(self) -> dict[str, str]:
        """The portal's environment, in this process and in every one it starts."""
        return {
            **environment.for_portal(url=self.portal_url, secrets=self.secrets, prefix=f"test-{WORKER or 'main'}"),
            "DJANGO_SETTINGS_MODULE": "suite.settings.test",
            **environment.for_database(self.postgres),
            **environment.for_redis(self.valkey),
            **environment.for_idp(self.idp),
            **environment.for_mail(self.mail),
            "MATRIX_TRANSPORT": "bot",
            "MATRIX_HOMESERVER_URL": self.homeserver.url,
            "MATRIX_SERVER_NAME": self.homeserver.server_name,
            # The bot's token is known once the homeserver runs: the `homeserver` fixture sets it.
            "MATRIX_ACCESS_TOKEN": "",
            "MATRIX_HS_TOKEN": self.homeserver.hs_token,
            "SWEEP_SECONDS": "1",
        }

    def need(self, part: Part) -> None:
        """See to it that a shared part runs: start it, or wait for the process that is starting it."""
        done = self.folder / f"{part.name}.started"
        with self._alone(part.name):
            if not done.exists():
                part.start(owner=self.shared.owner)
                done.touch()

    def need_own(self, part: Part) -> None:
        """See to it that a part of this worker runs."""
        if not part.running:
            part.start()

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def stop(self) -> None:
        for part in (self.mail, self.valkey):
            part.stop()
        if self.is_owner:
            for shared in (self.homeserver, self.idp, self.postgres):
                shared.stop()
            self.at_the_end.close()
            postgres.remove_elsewhere(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)


def drop_leavings() -> None:
    """Remove the folders of runs that were killed before they could do it themselves."""
    for folder in places.shared_folder().glob("tests-*"):
        owner = folder / "owner"
        if owner.exists() and folder.stat().st_uid == os.geteuid():
            pid, started = owner.read_text().split()
            if keeper.start_time(int(pid)) != started:
                postgres.remove_elsewhere(folder)
                shutil.rmtree(folder, ignore_errors=True)


def compile_catalogs() -> None:
    """Bring the compiled message catalogues up to date: tests read English and German pages too."""
    for language in catalogs.LANGUAGES:
        source = catalogs.po_path(language)
        compiled = source.with_suffix(".mo")
        if source.exists() and not (compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime):
            catalogs.compile_catalog(language)


services = Services()
if services.is_owner:
    (services.folder / "owner").write_text(f"{os.getpid()} {keeper.start_time(os.getpid())}")
    drop_leavings()
    compile_catalogs()
os.environ.update(services.variables)


def pytest_configure(config: pytest.Config) -> None:
    """Valkey is up before the first test: code under test may ring the doorbell anywhere."""
    if not hasattr(config.option, "numprocesses") or WORKER or not config.option.numprocesses:
        services.need_own(services.valkey)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.getreports("skipped") if "no Chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"Browser tests skipped: {len(skipped)}. There is no Chromium here; as root: apt-get install chromium"
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    services.stop()
