"""The identity provider that stands in for ProConnect (npm `oidc-provider`, in `suite/local/idp/`)."""

from pathlib import Path

from suite.local import places
from suite.local.parts.part import Part, PartFailed, answers
from suite.local.secrets_file import load

CLIENT_ID = "portail-de-la-suite"


class IdentityProvider(Part):
    """Code flow with PKCE S256 and signed userinfo for one client, the portal at `portal_url`.

    With `any_loopback_port` it accepts the portal on every port of this machine, as tests need it.
    """

    name = "idp"
    title = "Le fournisseur d'identité"
    advice = "Donnez OIDC_OP_URL, OIDC_RP_CLIENT_ID et OIDC_RP_CLIENT_SECRET pour en utiliser un autre."

    def __init__(self, folder: Path, port: int, *, portal_url: str, any_loopback_port: bool = False) -> None:
        super().__init__(folder, port)
        self.portal_url = portal_url
        self.any_loopback_port = any_loopback_port
        self.client_id = CLIENT_ID
        self.client_secret = load(folder)["OIDC_RP_CLIENT_SECRET"]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def command(self) -> list[str]:
        node = places.node()
        if node is None:
            raise PartFailed("Node.js est introuvable : installez-le (version 20 au moins) et relancez.")
        return [str(node), str(places.ROOT / "suite" / "local" / "idp" / "server.mjs")]

    def environment(self) -> dict[str, str]:
        return {
            "IDP_PORT": str(self.port),
            "IDP_FOLDER": str(self.folder),
            "IDP_PEOPLE": str(places.PEOPLE),
            "IDP_PORTAL_URL": self.portal_url,
            "IDP_ANY_LOOPBACK_PORT": "1" if self.any_loopback_port else "",
            "IDP_CLIENT_ID": self.client_id,
            "IDP_CLIENT_SECRET": self.client_secret,
            "NODE_ENV": "production",
        }

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/.well-known/openid-configuration")


def start(folder: Path, port: int, *, portal_url: str, any_loopback_port: bool = False) -> IdentityProvider:
    part = IdentityProvider(folder, port, portal_url=portal_url, any_loopback_port=any_loopback_port)
    part.start()
    return part
