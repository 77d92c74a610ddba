"""Settings, registration file, and what is told about a bridge that is set up wrongly or not at all."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from pytest_django import Settings

from suite.local.parts.homeserver import Homeserver
from tchap_bridge.checks import check_matrix_settings
from tchap_bridge.matrix import OUR_USERS, configured_access
from tchap_bridge.registration import registration_yaml

TRICKY = 'it\'s: "a" #token \\d'
STRANGERS = [
    "@claire.morel-dinum.example:tchap.localhost",
    "@visio:tchap.localhost",
    "@visioconference-dinum.example:tchap.localhost",
    "@admin:tchap.localhost",
    "@a:visio-.example",
]


def files(folder: Path) -> list[str]:
    """Every registration that is written anywhere: ours for operators, and the embedded homeserver's."""
    ours = registration_yaml(appservice_id="visio-bridge", url="https://p.example", as_token=TRICKY, hs_token="h")
    local = Homeserver(folder, 1, appservice_url="http://localhost:1").appservice_file()
    return [ours, local]


@pytest.mark.parametrize("index", [0, 1], ids=["ours", "embedded"])
def test_namespaces_are_narrow(index: int, tmp_path: Path) -> None:
    registration = yaml.safe_load(files(tmp_path)[index])
    assert registration["rate_limited"] is False
    assert registration["receive_ephemeral"] is True
    assert "de.sorunome.msc2409.push_ephemeral" not in registration
    namespaces = registration["namespaces"]
    assert namespaces.keys() == {"users", "aliases", "rooms"}
    assert [one["regex"] for one in namespaces["users"]] == ["@visio-.*"]
    assert [one["regex"] for one in namespaces["aliases"]] == ["#visio-.*"]
    assert namespaces["rooms"] == []
    for stranger in STRANGERS:
        assert not re.match(namespaces["users"][0]["regex"], stranger)
    assert re.match(namespaces["users"][0]["regex"], f"@{registration['sender_localpart']}:tchap.localhost")


def test_the_client_knows_the_same_namespace() -> None:
    for stranger in STRANGERS:
        assert not OUR_USERS.fullmatch(stranger.partition(":")[0])
    assert OUR_USERS.fullmatch("@visio-bridge")


def test_tokens_survive_yaml(tmp_path: Path) -> None:
    assert yaml.safe_load(files(tmp_path)[0])["as_token"] == TRICKY


def test_an_id_outside_the_namespace_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the namespace"):
        registration_yaml(appservice_id="bridge", url="u", as_token="a", hs_token="h")


def test_the_command_prints_the_file(settings: Settings) -> None:
    settings.MATRIX_ACCESS_TOKEN, settings.MATRIX_HS_TOKEN = "as", "hs"
    out = StringIO()
    call_command("tchap_registration", stdout=out)
    found = yaml.safe_load(out.getvalue())
    assert (found["url"], found["as_token"], found["hs_token"]) == (settings.PORTAL_URL, "as", "hs")
    settings.MATRIX_HS_TOKEN = ""
    with pytest.raises(CommandError, match="MATRIX_HS_TOKEN"):
        call_command("tchap_registration", stdout=out)


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"MATRIX_HOMESERVER_URL": ""}, ["tchap_bridge.W001"]),
        ({"MATRIX_ACCESS_TOKEN": ""}, ["tchap_bridge.E001"]),
        ({"MATRIX_SERVER_NAME": ""}, ["tchap_bridge.E001"]),
        ({"MATRIX_TRANSPORT": "appservice", "MATRIX_HS_TOKEN": ""}, ["tchap_bridge.E001"]),
        ({"MATRIX_TRANSPORT": "pigeon"}, ["tchap_bridge.E002"]),
        ({"MATRIX_HOMESERVER_URL": "matrix.example"}, ["tchap_bridge.E003"]),
    ],
)
def test_checks_name_what_is_wrong(settings: Settings, changes: dict[str, str], ids: list[str]) -> None:
    settings.MATRIX_TRANSPORT = "bot"
    settings.MATRIX_HOMESERVER_URL = "https://matrix.example"
    settings.MATRIX_SERVER_NAME = "example"
    settings.MATRIX_ACCESS_TOKEN = "t"
    for name, value in changes.items():
        setattr(settings, name, value)
    assert [message.id for message in check_matrix_settings(None)] == ids


def test_no_access_without_all_three(settings: Settings) -> None:
    settings.MATRIX_HOMESERVER_URL, settings.MATRIX_SERVER_NAME, settings.MATRIX_ACCESS_TOKEN = "https://m", "m", ""
    assert configured_access() is None
