"""From an address to a candidate account."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchap_bridge.accounts import candidate


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("claire.morel@dinum.example", "@claire.morel-dinum.example:s"),
        ("Claire.MOREL@Dinum.Example", "@claire.morel-dinum.example:s"),
        ("a-b_c=d/e@x.fr", "@a-b_c=d/e-x.fr:s"),
        # Tchap would drop these characters, after which two addresses share a name.
        ("o'neil@x.fr", None),
        ("jean+test@x.fr", None),
        ("élodie@x.fr", None),
        ("a@b@x.fr", None),
        ("@x.fr", None),
        ("x.fr", None),
        ("claire@", None),
        ("", None),
        ("a" * 260 + "@x.fr", None),
    ],
)
def test_candidates(email: str, found: str | None) -> None:
    assert candidate(email, "s") == found


@given(st.one_of(st.text(), st.emails()))
def test_a_candidate_is_always_a_user_id_of_our_server(email: str) -> None:
    found = candidate(email, "tchap.localhost")
    if found is not None:
        assert re.fullmatch(r"@[a-z0-9_\-./=]+:tchap\.localhost", found)
        assert len(found) <= 255
        # Nothing was dropped: the address can be read back from it.
        assert email.lower().replace("@", "-") == found[1:].removesuffix(":tchap.localhost")


@given(st.emails(), st.emails())
def test_addresses_of_one_domain_never_share_a_candidate(first: str, second: str) -> None:
    domain = "dinum.example"
    one, two = (f"{email.rpartition('@')[0]}@{domain}" for email in (first, second))
    if one.lower() != two.lower() and candidate(one, "s") is not None:
        assert candidate(one, "s") != candidate(two, "s")
