"""The application service's registration file, for the homeserver's operator.

Its namespaces are narrow: with `@.*`, even non-exclusive, the bridge could act as anybody and read every private room.
"""

USERS = "@visio-.*"
ALIASES = "#visio-.*"

_TEMPLATE = """\
id: {id}
url: {url}
as_token: {as_token}
hs_token: {hs_token}
sender_localpart: {id}
rate_limited: false
receive_ephemeral: true
namespaces:
  users:
    - exclusive: true
      regex: {users}
  aliases:
    - exclusive: false
      regex: {aliases}
  rooms: []
"""


def registration_yaml(*, appservice_id: str, url: str, as_token: str, hs_token: str) -> str:
    """The file's text. `url`: where the homeserver reaches the portal. `appservice_id` must lie in USERS ("visio-…")."""
    if not appservice_id.startswith("visio-"):
        raise ValueError(f"{appservice_id} is outside the namespace {USERS}")
    return _TEMPLATE.format(
        id=_quoted(appservice_id),
        url=_quoted(url),
        as_token=_quoted(as_token),
        hs_token=_quoted(hs_token),
        users=_quoted(USERS),
        aliases=_quoted(ALIASES),
    )


def _quoted(text: str) -> str:
    """A YAML single-quoted scalar: backslashes stay as they are, which double quotes would not allow a regex."""
    return "'" + text.replace("'", "''") + "'"
