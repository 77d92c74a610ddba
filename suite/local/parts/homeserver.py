"""The Matrix homeserver: Synapse in its own environment, closed to the outside, with the demo agents' accounts."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from suite.local import places
from suite.local.parts.part import Part, PartFailed, answers
from suite.local.secrets_file import load, write_private

VERSION = "1.163.2"
SERVER_NAME = "tchap.localhost"
BOT = "visio"
ADMIN = "admin"
APPSERVICE_ID = "visio-bridge"
# Narrow on purpose: with `@.*` the bridge could act as anybody and read every private room.
USER_NAMESPACE = "@visio-.*"
ALIAS_NAMESPACE = "#visio-.*"

RATE_LIMITS_LIFTED = """\
rc_message: {per_second: 10000, burst_count: 10000}
rc_registration: {per_second: 10000, burst_count: 10000}
rc_login:
  address: {per_second: 10000, burst_count: 10000}
  account: {per_second: 10000, burst_count: 10000}
  failed_attempts: {per_second: 10000, burst_count: 10000}
rc_admin_redaction: {per_second: 10000, burst_count: 10000}
rc_joins:
  local: {per_second: 10000, burst_count: 10000}
  remote: {per_second: 10000, burst_count: 10000}
rc_joins_per_room: {per_second: 10000, burst_count: 10000}
rc_invites:
  per_room: {per_second: 10000, burst_count: 10000}
  per_user: {per_second: 10000, burst_count: 10000}
  per_issuer: {per_second: 10000, burst_count: 10000}
rc_room_creation: {per_second: 10000, burst_count: 10000}
rc_presence:
  per_user: {per_second: 10000, burst_count: 10000}
rc_delayed_event_mgmt: {per_second: 10000, burst_count: 10000}
"""

OVERLAY = """\
# Written at every start by suite/local/parts/homeserver.py.
public_baseurl: "http://localhost:{port}/"
listeners:
  - port: {port}
    type: http
    bind_addresses: ["127.0.0.1"]
    resources: [{{names: [client], compress: false}}]
registration_shared_secret: "{registration_secret}"
enable_registration: false
bcrypt_rounds: 4
default_room_version: "11"
presence: {{enabled: false}}
# Nothing leaves this machine.
trusted_key_servers: []
suppress_key_server_warning: true
federation_domain_whitelist: []
allow_public_rooms_over_federation: false
url_preview_enabled: false
enable_metrics: false
app_service_config_files: ["{appservice_file}"]
log_config: "{log_config}"
"""

APPSERVICE = """\
# Written at every start by suite/local/parts/homeserver.py.
id: '{id}'
url: '{url}'
as_token: '{as_token}'
hs_token: '{hs_token}'
sender_localpart: '{id}'
rate_limited: false
receive_ephemeral: true
namespaces:
  users:
    - exclusive: true
      regex: '{users}'
  aliases:
    - exclusive: false
      regex: '{aliases}'
  rooms: []
"""

LOG = """\
version: 1
formatters: {line: {format: '%(asctime)s %(levelname)s %(name)s %(message)s'}}
handlers: {console: {class: logging.StreamHandler, formatter: line}}
root: {level: WARNING, handlers: [console]}
disable_existing_loggers: false
"""


class MatrixRefused(Exception):
    """The homeserver answered an error; `.status` and `.errcode` say which."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.errcode = str(body.get("errcode", ""))
        super().__init__(f"{status} {self.errcode} {body.get('error', '')}")


def localpart(email: str) -> str:
    """The local part that Tchap would derive from an address: lower case, "@" to "-", the rest dropped."""
    return re.sub(r"[^a-z0-9_\-./=]", "", email.lower().replace("@", "-"))


class Homeserver(Part):
    """Synapse as `tchap.localhost`, rate limits lifted unless `rate_limited` (the test of the 429 path wants them).

    `bot_token` belongs to the ordinary account @visio, `as_token` and `hs_token` to the application service, which
    pushes to `appservice_url`; `admin_token` is for looking at it from outside.
    """

    name = "homeserver"
    title = "Le serveur Matrix (Synapse)"
    advice = "Donnez MATRIX_HOMESERVER_URL et MATRIX_ACCESS_TOKEN pour en utiliser un autre."
    seconds_to_start = 120.0

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        appservice_url: str,
        people: bool = True,
        rate_limited: bool = False,
    ) -> None:
        super().__init__(folder, port)
        self.appservice_url = appservice_url
        self.people = people
        self.rate_limited = rate_limited
        self.data = folder / "synapse"
        self.secrets = load(folder)
        self.server_name = SERVER_NAME
        self.as_token = self.secrets["MATRIX_AS_TOKEN"]
        self.hs_token = self.secrets["MATRIX_HS_TOKEN"]
        self._tokens_file = self.data / "tokens.json"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def bot_token(self) -> str:
        """Empty until it has run once."""
        return self._tokens().get(BOT, "")

    @property
    def admin_token(self) -> str:
        return self._tokens()[ADMIN]

    def environment(self) -> dict[str, str]:
        # Its own environment's packages alone, and no proxy: nothing leaves this machine.
        return {"PYTHONPATH": "", "no_proxy": "*", "NO_PROXY": "*", "SYNAPSE_CACHE_FACTOR": "0.5"}

    # --- configuration ------------------------------------------------------------------------------------------
    def prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        if not (self.data / "homeserver.yaml").exists():
            self._generate()
        write_private(self.data / "appservice.yaml", self.appservice_file())
        write_private(self.data / "log.yaml", LOG)
        write_private(self.data / "overlay.yaml", self.overlay_file())

    def _generate(self) -> None:
        arguments = ["--generate-config", "-c", str(self.data / "homeserver.yaml"), "--server-name", SERVER_NAME]
        arguments += ["--config-directory", str(self.data), "--data-directory", str(self.data), "--report-stats=no"]
        done = subprocess.run(
            [str(places.synapse_python()), "-m", "synapse.app.homeserver", *arguments],
            env={**os.environ, **self.environment()},
            cwd=self.data,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            (self.data / "homeserver.yaml").unlink(missing_ok=True)
            raise PartFailed(f"{self.title} : la configuration a échoué.\n{self.advice}\n{done.stderr[-2000:]}")

    def overlay_file(self) -> str:
        """Later files win at Synapse, key by key: the generated one is never edited."""
        overlay = OVERLAY.format(
            port=self.port,
            registration_secret=self.secrets["MATRIX_REGISTRATION_SECRET"],
            appservice_file=self.data / "appservice.yaml",
            log_config=self.data / "log.yaml",
        )
        return overlay if self.rate_limited else overlay + RATE_LIMITS_LIFTED

    def appservice_file(self) -> str:
        return APPSERVICE.format(
            id=APPSERVICE_ID,
            url=self.appservice_url,
            as_token=self.as_token,
            hs_token=self.hs_token,
            users=USER_NAMESPACE,
            aliases=ALIAS_NAMESPACE,
        )

    def command(self) -> list[str]:
        files = [self.data / "homeserver.yaml", self.data / "overlay.yaml"]
        return [
            str(places.synapse_python()),
            *("-m", "synapse.app.homeserver"),
            *(argument for file in files for argument in ("-c", str(file))),
        ]

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/health")

    # --- accounts -----------------------------------------------------------------------------------------------
    def complete(self) -> None:
        tokens = self._tokens()
        for name, displayname, admin in [(ADMIN, "Administrateur", True), (BOT, "Visio", False)]:
            if name not in tokens:
                tokens[name] = self.token_for(name, displayname=displayname, admin=admin)
                write_private(self._tokens_file, json.dumps(tokens))
        if self.people:
            self._make_people()

    def _make_people(self) -> None:
        made_file = self.data / "people.json"
        made = set(json.loads(made_file.read_text())) if made_file.exists() else set()
        people = json.loads(places.PEOPLE.read_text())["people"]
        wanted = {localpart(p["email"]): f"{p['given_name']} {p['usual_name']}" for p in people if p["tchap"]}
        for name in wanted.keys() - made:
            self.token_for(name, displayname=wanted[name])
        if wanted.keys() - made:
            write_private(made_file, json.dumps(sorted(made | wanted.keys())))

    def token_for(self, name: str, *, displayname: str = "", admin: bool = False) -> str:
        """An access token of the account `name` (a local part), which is made when there is none."""
        password = hmac.new(self.secrets["MATRIX_PASSWORD_SEED"].encode(), name.encode(), "sha256").hexdigest()
        try:
            return self._register(name, password, displayname=displayname, admin=admin)
        except MatrixRefused as refusal:
            if refusal.errcode != "M_USER_IN_USE":
                raise
        login = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": password,
        }
        return str(self.call("POST", "/_matrix/client/v3/login", body=login)["access_token"])

    def _register(self, name: str, password: str, *, displayname: str, admin: bool) -> str:
        nonce = str(self.call("GET", "/_synapse/admin/v1/register")["nonce"])
        parts = [nonce, name, password, "admin" if admin else "notadmin"]
        key = self.secrets["MATRIX_REGISTRATION_SECRET"].encode()
        mac = hmac.new(key, "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
        if displayname:
            body["displayname"] = displayname
        return str(self.call("POST", "/_synapse/admin/v1/register", body=body)["access_token"])

    def _tokens(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self._tokens_file.read_text()) if self._tokens_file.exists() else {}
        return kept

    # --- looking at it from outside -----------------------------------------------------------------------------
    def call(self, method: str, path: str, *, token: str = "", body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request to the homeserver; MatrixRefused on an error status."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as refused:
            raise MatrixRefused(refused.code, json.loads(refused.read() or b"{}")) from refused


def start(
    folder: Path, port: int, *, appservice_url: str, people: bool = True, rate_limited: bool = False
) -> Homeserver:
    part = Homeserver(folder, port, appservice_url=appservice_url, people=people, rate_limited=rate_limited)
    part.start()
    return part
