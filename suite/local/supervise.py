"""The second half of `bin/run`, under the environment's Python: honcho keeps every process, a thread gets them ready."""

import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer

from suite.local import environment, keeper, places, ports, secrets_file
from suite.local.console import StepFailed, fail, run, say, step, together
from suite.local.parts.homeserver import Homeserver
from suite.local.parts.idp import IdentityProvider
from suite.local.parts.mailcatcher import MailCatcher
from suite.local.parts.part import Part, PartFailed
from suite.local.parts.portal import Celery, Daphne, Listener
from suite.local.parts.postgres import Postgres
from suite.local.parts.valkey import Valkey
from suite.local.run import embedded, portal_variables, write_variables

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \S+ ([A-Z]+) ")
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
SECONDS_TO_START = 90.0


class Stopped(Exception):
    """Somebody stopped us, or a process ended, before the portal was ready."""


class Copy:
    """One copy of the portal: its parts, and the steps that make it ready."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.folder = places.state_folder(port)
        self.url = os.environ.get("PORTAL_URL") or f"http://localhost:{port}"
        self.own: dict[str, str] = environment.for_portal(
            url=self.url, secrets=secrets_file.load(self.folder), prefix=f"portail-{port}"
        )
        # Cookies ignore ports: without this, signing in on one copy would sign out of the other.
        self.own["SESSION_COOKIE_NAME"] = f"session_{port}"
        numbers = ports.from_base(port)
        self.own |= environment.for_inbound(port=numbers["inbound"])
        make: dict[str, Callable[[], Part]] = {
            "postgres": lambda: Postgres(self.folder, numbers["postgres"]),
            "redis": lambda: Valkey(self.folder, numbers["redis"]),
            "idp": lambda: IdentityProvider(self.folder, numbers["idp"], portal_url=self.url),
            "mail": lambda: MailCatcher(
                self.folder, numbers["smtp"], page_port=numbers["mailbox"], reply_port=numbers["inbound"]
            ),
            "homeserver": lambda: Homeserver(self.folder, numbers["homeserver"], appservice_url=self.url),
        }
        self.parts = {name: make[name]() for name in embedded(dict(os.environ))}
        self.variables_file = self.folder / "environment.json"
        self.variables_file.unlink(missing_ok=True)
        self.portal = Daphne(self.folder, port, {})
        self.listener = Listener(self.folder, numbers["inbound"], {})
        workers = [Celery(self.folder, {}, role="worker"), Celery(self.folder, {}, role="beat")]
        self.processes = [self.portal, *workers, self.listener]
        self.ready_roles: set[str] = set()
        self.over = threading.Event()

    # --- before the processes -----------------------------------------------------------------------------------
    def prepare(self) -> None:
        for part in self.parts.values():
            part.folder.mkdir(parents=True, exist_ok=True)
        with step("Préparation des données"):
            together(*(part.prepare for part in self.parts.values()))

    def add_to(self, manager: Manager) -> int:
        """Hand every process to honcho; answers how many."""
        owner = os.getpid()
        for part in self.parts.values():
            self._add(manager, part, part.kept_command(owner=owner))
        for process in self.processes:
            command = process.kept_command(owner=owner, to_log=False, variables=self.variables_file)
            self._add(manager, process, command)
        return len(self.parts) + len(self.processes)

    def _add(self, manager: Manager, part: Part, command: list[str]) -> None:
        env = {**os.environ, **part.environment()}
        manager.add_process(part.name, f"exec {shlex.join(command)}", env=env, cwd=str(places.ROOT))

    # --- while they start ---------------------------------------------------------------------------------------
    def get_ready(self) -> None:
        """Bring everything up, then announce the portal. Raises Stopped, PartFailed, StepFailed."""
        began = time.monotonic()
        others = [part for name, part in self.parts.items() if name != "postgres"]
        together(self._fill_database, *(partial(self._bring_up, part) for part in others))
        write_variables(self.variables_file, portal_variables(self._variables()))
        with step("Portail et travaux de fond"):
            self._wait(self._is_ready, "Le portail")
        if "mail" in self.parts:
            say(f"Boîte aux lettres : {self.parts['mail'].url}")
        say(f"Données et journaux : {self.folder}")
        say(f"Services démarrés en {time.monotonic() - began:.0f} s ; Ctrl-C arrête tout.")
        say(f"Portail prêt : {self.url}")

    def _is_ready(self) -> bool:
        return self.ready_roles == {"worker", "beat"} and self.portal.is_ready() and self.listener.is_ready()

    def _bring_up(self, part: Part) -> None:
        with step(part.title):
            self._wait(part.is_ready, part.title)
            part.complete()

    def _fill_database(self) -> None:
        if "postgres" in self.parts:
            self._bring_up(self.parts["postgres"])
        variables = portal_variables(self._variables())
        if not variables.get("MATRIX_ACCESS_TOKEN"):
            # At the very first start the homeserver is still making the bot's account; the database needs neither.
            variables.pop("MATRIX_HOMESERVER_URL", None)
        advice = "Corrigez l'erreur ci-dessus et relancez ; bin/run --fresh repart d'une base vide."
        for title, words in [
            ("Traductions", ["messages", "--compile"]),
            ("Migrations", ["migrate", "--noinput"]),
            ("Données de démonstration", ["load_demo"]),
        ]:
            with step(title):
                command = keeper.around([str(places.venv_python()), "manage.py", *words], owner=os.getpid())
                run(command, advice=advice, env=variables, cwd=places.ROOT)

    def _variables(self) -> dict[str, str]:
        found = dict(self.own)
        for part in self.parts.values():
            match part:
                case Postgres():
                    found |= environment.for_database(part)
                case Valkey():
                    found |= environment.for_redis(part)
                case IdentityProvider():
                    found |= environment.for_idp(part)
                case MailCatcher():
                    found |= environment.for_mail(part)
                case Homeserver():
                    found |= environment.for_homeserver(part, transport=os.environ.get("MATRIX_TRANSPORT") or "bot")
        return found

    def _wait(self, ready: Callable[[], bool], title: str) -> None:
        end = time.monotonic() + SECONDS_TO_START
        while not ready():
            if self.over.wait(0.05):
                raise Stopped
            if time.monotonic() > end:
                raise StepFailed(f"{title} ne répond pas après {SECONDS_TO_START:.0f} s ; voir {self.folder}")


class Watching:
    """The printer that honcho writes to: prints what the processes say, less the noise, and notices when they start, are ready and stop.

    Celery logs every task at INFO: on the console only what is worse is shown, with the lines that follow it.
    """

    def __init__(self, copy: Copy, when_all_started: Callable[[], None]) -> None:
        self.printer = Printer(sys.stdout)
        self.width = 0  # honcho sets it to its longest name's
        self.copy = copy
        self.expected = 0
        self.when_all_started = when_all_started
        self.asked_to_stop = False
        self._showing: set[str] = set()

    def write(self, message: Message) -> None:
        text = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        if message.name == "system":
            self._notice(text)
        elif message.name in Celery.SAYS_READY:
            if Celery.SAYS_READY[message.name] in text:
                self.copy.ready_roles.add(message.name)
            if line := LOG_LINE.match(text):
                (self._showing.discard if line[1] == "INFO" else self._showing.add)(message.name)
            if message.name in self._showing:
                self._print(message)
        elif " INFO daphne." not in text and " INFO visio.inbox " not in text:
            self._print(message)

    def _print(self, message: Message) -> None:
        if self.asked_to_stop:
            return  # Processes that lose each other while all end have nothing to tell.
        self.printer.width = self.width
        self.printer.write(message)

    def _notice(self, text: str) -> None:
        name, _, what = text.strip().partition(" ")
        if what.startswith("started"):
            self.expected -= 1
            if self.expected == 0:
                self.when_all_started()
        elif what.startswith("stopped") and not self.copy.over.is_set():
            say(f"✗ {name} s'est arrêté : tout s'arrête. Voir {self.copy.folder / f'{name}.log'}")
            self.copy.over.set()
        elif what == "received":
            if not self.asked_to_stop:
                say("Arrêt…")
            self.asked_to_stop = True
            self.copy.over.set()


def supervise(port: int) -> int:
    """Run everything until a signal or until a process ends; answers the exit status."""
    with places.own_scratch(places.state_folder(port)):
        return _supervise(port)


def _supervise(port: int) -> int:
    copy = Copy(port)
    try:
        copy.prepare()
    except (StepFailed, PartFailed) as error:
        return fail(error)
    failed = threading.Event()

    def get_ready() -> None:
        announced = False
        try:
            copy.get_ready()
            announced = True
        except Stopped:
            return
        except (StepFailed, PartFailed) as error:
            if not copy.over.is_set():
                failed.set()
                fail(error)
        finally:
            # Also after an error that nobody foresaw, whose traceback the thread prints.
            if not announced and not copy.over.is_set():
                failed.set()
                os.kill(os.getpid(), signal.SIGTERM)

    def all_started() -> None:
        # honcho cannot be told to stop before every process has started, so signals have waited until now.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        threading.Thread(target=get_ready, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    printer = Watching(copy, all_started)
    manager: Any = Manager(printer)
    printer.expected = copy.add_to(manager)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    manager.loop()
    keeper.end_descendants()  # A step may be under way.
    say("Arrêté.")
    return 1 if failed.is_set() else int(manager.returncode or 0)


def main() -> int:
    try:
        return supervise(int(sys.argv[1]))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    status = main()
    # Not sys.exit: a thread may still be inside a step that the stop has made pointless.
    sys.stdout.flush()
    os._exit(status)
