"""The identity provider that stands in for ProConnect."""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterator

import httpx
import jwt
import pytest
from django.conf import settings

from suite.local import places

CALLBACK = "http://localhost:8000/oidc/callback/"
HOME = "http://localhost:8000/"
SCOPES = "openid given_name usual_name email siret organizational_unit"
PEOPLE = json.loads(places.PEOPLE.read_text())


@pytest.fixture
def visitor(identity_provider: str) -> Iterator[httpx.Client]:
    """A browser without scripts at the provider."""
    with httpx.Client(base_url=identity_provider, trust_env=False) as client:
        yield client


def challenge(verifier: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def ask(visitor: httpx.Client, **changes: str) -> httpx.Response:
    """Open the authorization endpoint as the portal does."""
    asked = {
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "response_type": "code",
        "scope": SCOPES,
        "redirect_uri": CALLBACK,
        "state": "state-1",
        "nonce": "nonce-1",
        "acr_values": "eidas1",
        **changes,
    }
    return visitor.get("/authorize", params=asked)


def sign_in(visitor: httpx.Client, sub: str) -> dict[str, str]:
    """Walk the code flow; answers the token endpoint's JSON."""
    verifier = secrets.token_urlsafe(48)
    page = ask(visitor, **challenge(verifier)).headers["location"]
    resumed = visitor.post(page, data={"sub": sub}).headers["location"]
    back = httpx.URL(visitor.get(resumed).headers["location"])
    assert (str(back.copy_with(query=None)), back.params["state"]) == (CALLBACK, "state-1")
    tokens = visitor.post(
        "/token",
        data={
            "grant_type": "authorization_code",
            "code": back.params["code"],
            "redirect_uri": CALLBACK,
            "client_id": settings.OIDC_RP_CLIENT_ID,
            "client_secret": settings.OIDC_RP_CLIENT_SECRET,
            "code_verifier": verifier,
        },
    )
    found: dict[str, str] = tokens.json()
    return found


def signed(visitor: httpx.Client, token: str, **options: str) -> dict[str, str]:
    """The claims of a JWT, its signature checked with the provider's published keys."""
    keys = jwt.PyJWKSet.from_dict(visitor.get("/jwks").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, str] = jwt.decode(token, key, algorithms=["RS256"], audience=settings.OIDC_RP_CLIENT_ID)
    return claims


def test_userinfo_is_a_signed_jwt_with_proconnects_claims(visitor: httpx.Client) -> None:
    tokens = sign_in(visitor, "demo-claire-morel")

    userinfo = visitor.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})

    assert userinfo.headers["content-type"].startswith("application/jwt")
    claims = signed(visitor, userinfo.text)
    wanted = {
        "sub": "demo-claire-morel",
        "given_name": "Claire",
        "usual_name": "Morel",
        "email": "claire.morel@dinum.example",
        "siret": "13002526500013",
        "organizational_unit": "Portail",
        "acr_values": "eidas1",
    }
    assert {name: claims[name] for name in wanted} == wanted
    id_token = signed(visitor, tokens["id_token"])
    assert (id_token["nonce"], id_token["acr"]) == ("nonce-1", "eidas1")


@pytest.mark.parametrize("proof", [{}, {"code_challenge": "a" * 43, "code_challenge_method": "plain"}])
def test_a_request_without_pkce_s256_is_refused(visitor: httpx.Client, proof: dict[str, str]) -> None:
    answer = ask(visitor, **proof)

    assert "error=invalid_request" in answer.headers["location"]


def test_a_wrong_verifier_gets_no_token(visitor: httpx.Client) -> None:
    page = ask(visitor, **challenge(secrets.token_urlsafe(48))).headers["location"]
    resumed = visitor.post(page, data={"sub": "demo-claire-morel"}).headers["location"]
    code = httpx.URL(visitor.get(resumed).headers["location"]).params["code"]

    answer = visitor.post(
        "/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": settings.OIDC_RP_CLIENT_ID,
            "client_secret": settings.OIDC_RP_CLIENT_SECRET,
            "code_verifier": secrets.token_urlsafe(48),
        },
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("where", ["https://elsewhere.example/oidc/callback/", "http://localhost:8000/elsewhere/"])
def test_another_address_than_the_portals_is_refused(visitor: httpx.Client, where: str) -> None:
    answer = ask(visitor, redirect_uri=where, **challenge("v" * 43))

    assert answer.status_code == 400
    assert "n’a pas abouti" in answer.text


def test_the_page_lists_everybody_and_the_stranger(visitor: httpx.Client) -> None:
    page = visitor.get(ask(visitor, **challenge("v" * 43)).headers["location"])

    subs = re.findall(r'name="sub" value="([^"]+)"', page.text)
    assert sorted(subs) == sorted([person["sub"] for person in PEOPLE["people"]] + ["demo-organisation-inconnue"])
    headings = re.findall("<h2>(.*?)</h2>", page.text)
    assert headings == [organisation["name"] for organisation in PEOPLE["organisations"]] + [
        "Organisation inconnue du portail"
    ]
    assert "<script>" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(("filtered", "names"), [("lea nguy", ["Léa Nguyen"]), ("zzz", [])])
def test_the_page_filters_without_accents_and_without_a_script(
    visitor: httpx.Client, filtered: str, names: list[str]
) -> None:
    address = ask(visitor, **challenge("v" * 43)).headers["location"]

    page = visitor.get(address, params={"filter": filtered})

    assert re.findall("<strong>(.*?)</strong>", page.text) == names
    assert ("hidden" not in page.text) == (not names)


def test_signing_out_at_the_portal_signs_out_here_at_once(visitor: httpx.Client) -> None:
    tokens = sign_in(visitor, "demo-claire-morel")
    leave = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": HOME, "state": "bye"}

    first = visitor.get("/session/end", params=leave)
    second = visitor.get("/session/end", params=leave)

    for answer in (first, second):
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}?state=bye")
    assert "/interaction/" in ask(visitor, **challenge("v" * 43)).headers["location"]


def test_signing_out_without_a_proof_asks_first(visitor: httpx.Client) -> None:
    sign_in(visitor, "demo-claire-morel")

    asked = visitor.get("/session/end")
    secret = re.search(r'name="xsrf" value="(\w+)"', asked.text)

    assert secret is not None
    assert "Se déconnecter" in asked.text
    done = visitor.post("/session/end/confirm", data={"xsrf": secret[1], "logout": "yes"})
    assert "Vous êtes déconnecté" in visitor.get(done.headers["location"]).text


@pytest.mark.parametrize("path", ["/interaction/none", "/interaction/none?filter=a"])
def test_a_choice_that_nobody_asked_for_is_an_error_page(visitor: httpx.Client, path: str) -> None:
    page = visitor.get(path)

    assert page.status_code == 400
    assert "recommencez" in page.text


def test_a_person_who_is_not_listed_cannot_be_chosen(visitor: httpx.Client) -> None:
    address = ask(visitor, **challenge("v" * 43)).headers["location"]

    again = visitor.post(address, data={"sub": "demo-nobody"})

    assert again.status_code == 200
    assert "Choisir un agent" in again.text


def test_its_pages_bring_their_own_style_and_script(visitor: httpx.Client) -> None:
    assert visitor.get("/static/style.css").headers["content-type"] == "text/css"
    assert visitor.get("/static/page.js").headers["content-type"] == "text/javascript"
