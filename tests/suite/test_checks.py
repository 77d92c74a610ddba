"""A misconfiguration is told at start, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from suite.checks import check_addresses, check_calls, check_mail, check_sweeps


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORTAL_URL", "https://portail.example", []),
        ("PORTAL_URL", "portail.example", ["suite.E001"]),
        ("PORTAL_URL", "https://", ["suite.E001"]),
        ("OIDC_OP_URL", "ftp://id.example", ["suite.E002"]),
        ("ALLOWED_HOSTS", ["other.example"], ["suite.E003"]),
        ("ALLOWED_HOSTS", [".example"], []),
        ("ALLOWED_HOSTS", ["*"], []),
    ],
)
def test_addresses(settings: Any, name: str, value: object, expected: list[str]) -> None:
    settings.PORTAL_URL = "https://portail.example"
    settings.ALLOWED_HOSTS = ["portail.example"]
    setattr(settings, name, value)
    found = check_addresses(None)
    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ROOM_ENGINE", "mesh", []),
        ("ROOM_ENGINE", "skype", ["suite.E004"]),
        ("ICE_SERVERS", ["stun:a.example", "turns:b.example"], []),
        ("ICE_SERVERS", ["a.example:3478"], ["suite.E005"]),
    ],
)
def test_calls(settings: Any, name: str, value: object, expected: list[str]) -> None:
    setattr(settings, name, value)
    found = check_calls(None)
    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)


@pytest.mark.parametrize(("seconds", "expected"), [(15.0, []), (0.0, ["suite.E006"]), (60.0, ["suite.E006"])])
def test_sweeps(settings: Any, seconds: float, expected: list[str]) -> None:
    settings.SWEEP_SECONDS = seconds
    assert [message.id for message in check_sweeps(None)] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"EMAIL_USE_TLS": True}, []),
        ({"EMAIL_USE_SSL": True}, []),
        ({"EMAIL_USE_TLS": True, "EMAIL_USE_SSL": True}, ["suite.E007"]),
        ({"EMAIL_TIMEOUT": 0.0}, ["suite.E008"]),
        ({"EMAIL_TIMEOUT": 30.0}, ["suite.E008"]),
        ({"EMAIL_TIMEOUT": 29.0}, []),
    ],
)
def test_mail(settings: Any, changes: dict[str, object], expected: list[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    found = check_mail(None)
    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)
