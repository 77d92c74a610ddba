from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.agents.models import Agent
from tests import factories
from visio.meetings.drafts import Invitee, MeetingDraft, address_or_none, pieces, resolve_invitees, validate_draft

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
GOOD = MeetingDraft(
    title="Comité", start_date=dt.date(2026, 11, 24), start_time=dt.time(14), time_zone="Europe/Paris", minutes=60
)


def wrong(**changes: Any) -> set[str]:
    return set(validate_draft(dataclasses.replace(GOOD, **changes), now=NOW))


def test_a_good_draft_is_good() -> None:
    assert wrong() == set()
    assert wrong(title="<b>« Visio » & co</b>", description="a\r\nb\n\tc", minutes=14 * 24 * 60) == set()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 300}, "title"),
        ({"title": "a\r\nBcc: b"}, "title"),
        ({"title": "a\x85b"}, "title"),
        ({"place": "x" * 201}, "place"),
        ({"place": "a\u2028b"}, "place"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"privacy": "secret"}, "privacy"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": -30}, "minutes"),
        ({"minutes": 14 * 24 * 60 + 1}, "minutes"),
        ({"time_zone": "Europe/Pari"}, "time_zone"),
        ({"start_date": dt.date(2026, 11, 21)}, "start_date"),
        ({"start_date": dt.date(9999, 12, 31), "time_zone": "Pacific/Niue"}, "start_date"),
        ({"start_date": dt.date(2126, 1, 1)}, "start_date"),
        ({"attendees": (Invitee("a@b"),)}, "attendees"),
        ({"attendees": (Invitee("a@b.example", role="chair"),)}, "attendees"),
        ({"attendees": (Invitee("a@b.example", name="x\r\ny"),)}, "attendees"),
    ],
)
def test_refused(changes: dict[str, Any], field: str) -> None:
    assert wrong(**changes) == {field}


def test_the_running_minute_may_still_be_chosen_and_a_kept_start_may_be_past() -> None:
    running = dataclasses.replace(GOOD, start_date=dt.date(2026, 11, 22), start_time=dt.time(10))
    assert validate_draft(running, now=NOW.replace(second=40)) == {}
    starts_at, _end = running.span()
    assert validate_draft(running, now=NOW + dt.timedelta(minutes=5), unchanged_start=starts_at) == {}


def test_what_was_pasted_is_split() -> None:
    pasted = [
        'un@x.example; "Le Goff, Anne" <anne@x.example>,deux@x.example\r\ntrois@x.example',
        "",
        " quatre@x.example ",
    ]
    assert [piece for piece in pieces(pasted) if piece] == [
        "un@x.example",
        '"Le Goff, Anne" <anne@x.example>',
        "deux@x.example",
        "trois@x.example",
        "quatre@x.example",
    ]


@given(st.lists(st.text()))
def test_splitting_never_fails_and_pieces_hold_no_line_break(lines: list[str]) -> None:
    assert all(len(piece.splitlines()) <= 1 for piece in pieces(lines))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Anne@X.example", "anne@x.example"),
        ("a@ministère.fr", "a@xn--ministre-60a.fr"),
        ("a@b", None),
        ("é@x.example", None),
        ("a@x.example\r\nBcc: b@x.example", None),
        ("", None),
    ],
)
def test_addresses(text: str, address: str | None) -> None:
    assert address_or_none(text) == address


@pytest.mark.django_db
class TestResolve:
    @pytest.fixture
    def boss(self) -> Agent:
        return factories.agent("Karim", "Benali", email="karim@dinum.example")

    def test_addresses_and_names_become_people(self, boss: Agent) -> None:
        anne = factories.agent("Anne", "Le Goff", email="Anne.LeGoff@dinum.example")
        found = resolve_invitees(["Anne Le Goff", "Une Externe <ext@partenaire.example>"], organiser=boss)
        assert found.invitees == (
            Invitee("anne.legoff@dinum.example", "Anne Le Goff", anne.pk),
            Invitee("ext@partenaire.example", "Une Externe"),
        )
        assert (found.problems, found.notices) == ((), ())

    def test_the_same_person_is_folded_and_the_organiser_dropped_with_a_notice(self, boss: Agent) -> None:
        factories.agent("Anne", "Le Goff", email="anne.legoff@dinum.example")
        lines = ["anne.legoff@dinum.example, le goff anne", "KARIM@dinum.example", "ext@x.example;EXT@x.example"]
        found = resolve_invitees(lines, organiser=boss)
        assert [invitee.email for invitee in found.invitees] == ["anne.legoff@dinum.example", "ext@x.example"]
        assert found.organiser_dropped
        assert found.folded == ("Anne Le Goff", "ext@x.example")
        assert len(found.notices) == 2

    def test_problems_say_which_line_and_why(self, boss: Agent) -> None:
        for _ in range(2):
            factories.agent("Jean", "Martin")
        found = resolve_invitees(["m.durand@finistere", "Jean Martin", "Nadie", "<x@y.example"], organiser=boss)
        assert {(problem.text, problem.reason) for problem in found.problems} == {
            ("m.durand@finistere", "not_an_address"),
            ("Jean Martin", "ambiguous_name"),
            ("Nadie", "unknown_name"),
        }
        assert all(problem.text in problem.message for problem in found.problems)

    def test_inactive_agents_are_external_by_address_and_unknown_by_name(self, boss: Agent) -> None:
        factories.agent("Anne", "Partie", email="partie@dinum.example", is_active=False)
        found = resolve_invitees(["partie@dinum.example", "Anne Partie"], organiser=boss)
        assert found.invitees == (Invitee("partie@dinum.example"),)
        assert [problem.reason for problem in found.problems] == ["unknown_name"]

    def test_two_statements_however_many_lines(self, boss: Agent, django_assert_max_num_queries: Any) -> None:
        lines = [f"invite{number}@x.example" for number in range(200)] + ["Anne Le Goff"]
        with django_assert_max_num_queries(2):
            resolve_invitees(lines, organiser=boss)
