"""The homeserver's configuration: closed to the outside, and a bridge that can only be itself."""

import re
from pathlib import Path

import pytest
import yaml

from suite.local.parts.homeserver import APPSERVICE_ID, SERVER_NAME, Homeserver, localpart
from tests.looking import Matrix


@pytest.fixture
def part(tmp_path: Path) -> Homeserver:
    return Homeserver(tmp_path, 8004, appservice_url="http://localhost:8000")


def test_the_application_service_reserves_its_own_names_only(part: Homeserver) -> None:
    file = yaml.safe_load(part.appservice_file())
    users = [re.compile(space["regex"]) for space in file["namespaces"]["users"]]
    aliases = [re.compile(space["regex"]) for space in file["namespaces"]["aliases"]]

    assert [space.pattern for space in users] == ["@visio-.*"]
    assert [space.pattern for space in aliases] == ["#visio-.*"]
    assert file["namespaces"]["rooms"] == []
    for person in ("claire.morel@dinum.example", "visio@dinum.example", "a-visio-b@dinum.example"):
        mxid = f"@{localpart(person)}:{SERVER_NAME}"
        assert not any(space.match(mxid) for space in users) or mxid.startswith("@visio-"), mxid
    assert not any(space.match(f"@visio:{SERVER_NAME}") for space in users), "the ordinary bot is not the bridge's"
    assert not any(space.match(f"#general:{SERVER_NAME}") for space in aliases)


def test_the_application_service_is_as_the_bridge_wants_it(part: Homeserver) -> None:
    file = yaml.safe_load(part.appservice_file())

    assert (file["id"], file["url"], file["sender_localpart"]) == (
        APPSERVICE_ID,
        "http://localhost:8000",
        APPSERVICE_ID,
    )
    assert (file["as_token"], file["hs_token"]) == (part.as_token, part.hs_token)
    assert part.as_token != part.hs_token
    assert (file["rate_limited"], file["receive_ephemeral"]) == (False, True)
    assert not [key for key in file if key.startswith("de.sorunome")]


def test_nothing_leaves_the_machine(part: Homeserver) -> None:
    overlay = yaml.safe_load(part.overlay_file())

    assert [listener["bind_addresses"] for listener in overlay["listeners"]] == [["127.0.0.1"]]
    assert [resource["names"] for resource in overlay["listeners"][0]["resources"]] == [["client"]]
    assert overlay["federation_domain_whitelist"] == []
    assert overlay["trusted_key_servers"] == []
    assert overlay["url_preview_enabled"] is False
    assert overlay["enable_registration"] is False


def test_rate_limits_stay_when_a_test_wants_them(tmp_path: Path) -> None:
    limited = Homeserver(tmp_path, 8004, appservice_url="http://localhost:8000", rate_limited=True)
    free = Homeserver(tmp_path, 8004, appservice_url="http://localhost:8000")

    assert "rc_room_creation" not in yaml.safe_load(limited.overlay_file())
    assert yaml.safe_load(free.overlay_file())["rc_room_creation"]["burst_count"] == 10_000


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("claire.morel@dinum.example", "claire.morel-dinum.example"),
        ("Léa.NGUYEN@dinum.example", "la.nguyen-dinum.example"),
        ("jean+visio@dinum.example", "jeanvisio-dinum.example"),
    ],
)
def test_a_local_part_is_derived_as_tchap_does(email: str, name: str) -> None:
    assert localpart(email) == name


def test_the_bridge_may_not_act_as_anybody_else(homeserver: Matrix) -> None:
    claire = homeserver.user("claire.morel@dinum.example", "Claire Morel")
    whoami = "/_matrix/client/v3/account/whoami"

    itself = homeserver.part.call("GET", f"{whoami}?user_id=@visio-bridge:{SERVER_NAME}", token=homeserver.as_token)

    assert itself["user_id"] == f"@visio-bridge:{SERVER_NAME}"
    with pytest.raises(Exception, match="403 M_FORBIDDEN"):
        homeserver.part.call("GET", f"{whoami}?user_id={claire.mxid}", token=homeserver.as_token)
