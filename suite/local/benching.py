"""`bin/bench [name …]`: start parts of its own, then run the benches of `suite/local/bench/` one after the other."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from suite.local import environment, places, ports, secrets_file, setup
from suite.local.console import Options, StepFailed, fail, run, say, step
from suite.local.parts.mailcatcher import MailCatcher
from suite.local.parts.part import Part, PartFailed
from suite.local.parts.postgres import Postgres
from suite.local.parts.valkey import Valkey
from suite.local.run import end_with_children

FOLDER = places.ROOT / "suite" / "local" / "bench"


def names() -> list[str]:
    """Every bench: a module of the folder with a `main`; what has none is somebody's helper."""
    return sorted(
        file.stem for file in FOLDER.glob("*.py") if file.stem[0] != "_" and "\ndef main() -> None:" in file.read_text()
    )


def main(arguments: Sequence[str]) -> int:
    parser = Options(prog="bin/bench", description="Mesure ce que coûte le portail.")
    parser.add_argument("names", nargs="*", metavar="nom", help=f"parmi : {', '.join(names())} (toutes par défaut)")
    wanted = parser.parse_args(arguments).names or names()
    end_with_children()
    try:
        unknown = sorted(set(wanted) - set(names()))
        if unknown:
            raise StepFailed(f"Mesure inconnue : {', '.join(unknown)}. Il y a : {', '.join(names())}")
        setup.ready(development=True, homeserver=False)
        setup.chromium()
        with contextlib.ExitStack() as stack:
            variables = _parts(stack)
            return _all(wanted, variables)
    except (StepFailed, PartFailed, FileNotFoundError) as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130


def _parts(stack: contextlib.ExitStack) -> dict[str, str]:
    """Start the parts and migrate; answers the environment. They end with `stack`."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=places.shared_folder()))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.enter_context(places.own_scratch(folder))
    database = Postgres(folder, ports.reserve())
    redis = Valkey(folder, ports.reserve())
    mail = MailCatcher(folder, ports.reserve(), page_port=ports.reserve())
    parts: list[Part] = [database, redis, mail]
    for part in parts:
        with step(part.title):
            stack.callback(part.stop)
            part.start()
    variables = {
        **os.environ,
        **environment.for_portal(
            url=f"http://localhost:{ports.reserve()}", secrets=secrets_file.load(folder), prefix="bench"
        ),
        **environment.for_database(database),
        **environment.for_redis(redis),
        **environment.for_mail(mail),
        # Nobody signs in through the provider, and no room is made.
        "OIDC_OP_URL": "http://localhost:9",
        "OIDC_RP_CLIENT_ID": "bench",
        "OIDC_RP_CLIENT_SECRET": "local-bench",
        "MATRIX_HOMESERVER_URL": "",
    }
    with step("Traductions et migrations"):
        for words in (["messages", "--compile"], ["migrate", "--noinput"]):
            run([places.venv_python(), "manage.py", *words], advice="", env=variables, cwd=places.ROOT)
    return variables


def _all(wanted: Sequence[str], variables: dict[str, str]) -> int:
    failed = []
    for name in wanted:
        say(f"\n── {name}")
        command = [str(places.venv_python()), "-m", "suite.local.bench", name]
        if subprocess.run(command, env=variables, cwd=places.ROOT, stdin=subprocess.DEVNULL, check=False).returncode:
            failed.append(name)
    if failed:
        say(f"\n✗ {', '.join(failed)}")
    return 1 if failed else 0
