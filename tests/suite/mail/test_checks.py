"""Mail settings that would fail later are told at start."""

from __future__ import annotations

from typing import Any

import pytest

from suite.mail.checks import check_rates, check_reply_domain


@pytest.mark.parametrize(
    ("rates", "ids"), [("", []), ("gouv.fr=50,*=0", []), ("gouv.fr:50", ["mail.E001"]), ("a=-1", ["mail.E001"])]
)
def test_rates(settings: Any, rates: str, ids: list[str]) -> None:
    settings.MAIL_DOMAIN_RATES = rates
    assert [found.id for found in check_rates(None)] == ids


@pytest.mark.parametrize(
    ("domain", "ids"), [("", []), ("reponses.x.example", []), ("r@x.example", ["mail.E002"]), ("x y", ["mail.E002"])]
)
def test_reply_domain(settings: Any, domain: str, ids: list[str]) -> None:
    settings.REPLY_DOMAIN = domain
    assert [found.id for found in check_reply_domain(None)] == ids
