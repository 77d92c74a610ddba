"""A provider that says odd things: a page that explains, never an error, nothing half-written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from suite.agents.models import Agent, Organisation
from tests import factories
from tests.suite.agents import odd_provider

pytestmark = pytest.mark.django_db
CLAIMS = {
    "sub": "s-1",
    "email": "lea.nguyen@dinum.example",
    "siret": "13002526500013",
    "given_name": "Léa",
    "usual_name": "Nguyen",
}


@pytest.fixture
def dinum() -> Organisation:
    return factories.organisation("DINUM", siret="13002526500013")


@pytest.fixture
def provider(settings: Any, dinum: Organisation) -> Iterator[odd_provider.OddProvider]:
    with odd_provider.running() as odd:
        settings.OIDC_OP_ISSUER = odd.url
        for name, path in (("TOKEN", "token"), ("USER", "userinfo"), ("JWKS", "jwks")):
            setattr(settings, f"OIDC_OP_{name}_ENDPOINT", f"{odd.url}/{path}")
        odd.claims = dict(CLAIMS)
        yield odd


def known() -> list[tuple[object, ...]]:
    return list(Agent.objects.values_list("sub", "email", "given_name", "usual_name", "organizational_unit"))


def refused(provider: odd_provider.OddProvider) -> str:
    """The heading of the page that the browser ends on."""
    browser = Client()
    answer = provider.sign_in(browser)
    assert (answer.status_code, answer["Location"]) == (302, configured.LOGIN_REDIRECT_URL_FAILURE)
    assert "_auth_user_id" not in browser.session
    page = browser.get(answer["Location"])
    assert page.status_code == 403
    return str(page.content.decode().split('<h1 class="ps-h1">')[1].split("</h1>")[0])


MISSING = "Il manque une information sur votre compte"
UNUSABLE = "Une information de votre compte est inutilisable"
UNKNOWN = "Votre service n’a pas encore accès au portail"


@pytest.mark.parametrize(
    ("name", "value", "heading"),
    [
        ("sub", "s" * 256, UNUSABLE),
        ("sub", "s\x001", UNUSABLE),
        ("sub", "s\ud800", UNUSABLE),
        ("email", f"{'a' * 250}@dinum.example", UNUSABLE),
        ("email", "lea\x00@dinum.example", UNUSABLE),
        ("email", "lea\ud800@dinum.example", UNUSABLE),
        ("email", "lea@dinum.example\r\nBcc: x@y.example", UNUSABLE),
        ("email", "pas une adresse", UNUSABLE),
        ("email", ["lea.nguyen@dinum.example"], MISSING),
        ("email", None, MISSING),
        ("given_name", "\x00\x01", MISSING),
        ("usual_name", {"fr": "Nguyen"}, MISSING),
        ("siret", "1300252650001\x00", UNKNOWN),
        ("siret", "9" * 10_000, UNKNOWN),
        ("siret", "１３００２５２６５０００１３", UNKNOWN),
        ("siret", 13002526500013, MISSING),
    ],
)
def test_an_odd_claim_is_refused_with_the_reason(
    provider: odd_provider.OddProvider, dinum: Organisation, name: str, value: object, heading: str
) -> None:
    factories.agent("Léa", "Avant", sub="s-1", email="avant@dinum.example", organisation=dinum)
    before = known()
    provider.claims[name] = value

    assert refused(provider) == heading
    assert known() == before


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("given_name", "Léa" * 100, ("Léa" * 40, "Nguyen", "")),
        ("usual_name", "Nguyen\x00\r\nVan", ("Léa", "Nguyen Van", "")),
        ("organizational_unit", "Portail" * 100, ("Léa", "Nguyen", ("Portail" * 100)[:250])),
        ("organizational_unit", "Por\x00tail", ("Léa", "Nguyen", "Por tail")),
        ("organizational_unit", {"fr": "Portail"}, ("Léa", "Nguyen", "")),
        ("organizational_unit", None, ("Léa", "Nguyen", "")),
    ],
)
def test_what_is_harmless_is_cut_or_cleaned(
    provider: odd_provider.OddProvider, name: str, value: object, kept: tuple[str, ...]
) -> None:
    provider.claims[name] = value
    browser = Client()

    assert provider.sign_in(browser)["Location"] == "/"
    assert known() == [("s-1", "lea.nguyen@dinum.example", *kept)]
    assert "_auth_user_id" in browser.session


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/token", 200, b"[]"),
        ("/token", 200, b"{}"),
        ("/token", 200, b'{"id_token": 5, "access_token": "a"}'),
        ("/token", 200, b'{"id_token": "x", "access_token": {}}'),
        ("/token", 200, b"<html>"),
        ("/token", 500, b"{}"),
        ("/jwks", 200, b"[]"),
        ("/jwks", 200, b'{"keys": 5}'),
        ("/jwks", 200, b'{"keys": [{}]}'),
        ("/jwks", 200, b'{"keys": [{"kid": "k", "kty": "RSA", "n": 5}]}'),
        ("/jwks", 200, b"<html>"),
        ("/userinfo", 200, b"\xff\xfe"),
        ("/userinfo", 200, b'{"sub": "s-1"}'),
        ("/userinfo", 404, b""),
    ],
)
def test_an_answer_that_makes_no_sense_is_told(
    provider: odd_provider.OddProvider, path: str, status: int, body: bytes
) -> None:
    provider.answers[path] = (status, body)

    assert refused(provider) in {"ProConnect n’a pas pu vous identifier", "La connexion n’a pas abouti"}
    assert known() == []
