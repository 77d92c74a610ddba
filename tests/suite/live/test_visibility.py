"""Who may see whose presence."""

import pytest
from pytest_django import DjangoAssertNumQueries

from suite.live.origin import portal_origin
from suite.live.visibility import may_see
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://Portail.Example.gouv.fr", "https://portail.example.gouv.fr"),
        ("https://portail.example.gouv.fr:443/", "https://portail.example.gouv.fr"),
        ("http://portail.example.gouv.fr:80", "http://portail.example.gouv.fr"),
        ("http://portail.example.gouv.fr:443", "http://portail.example.gouv.fr:443"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
    ],
)
def test_the_portals_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert portal_origin(url) == origin


def test_colleagues_partners_and_oneself() -> None:
    viewer, partner, stranger = factories.agent(), factories.agent(), factories.agent()
    colleague = factories.agent(organisation=viewer.organisation)
    inactive = factories.agent(organisation=viewer.organisation, is_active=False)
    factories.meeting(viewer, guests=[partner])
    everybody = [viewer, partner, stranger, colleague, inactive]
    assert may_see(viewer, [one.pk for one in everybody]) == {viewer.pk, partner.pk, colleague.pk}
    assert may_see(stranger, [one.pk for one in everybody]) == {stranger.pk}
    assert may_see(partner, [viewer.pk, colleague.pk]) == {viewer.pk}


@pytest.mark.parametrize("count", [1, 3])
def test_colleagues_cost_one_query_and_strangers_two(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    viewer = factories.agent()
    colleagues = [factories.agent(organisation=viewer.organisation).pk for _number in range(count)]
    strangers = [factories.agent().pk for _number in range(count)]
    with django_assert_num_queries(1):
        assert may_see(viewer, colleagues) == set(colleagues)
    with django_assert_num_queries(2):
        assert may_see(viewer, strangers) == set()
    with django_assert_num_queries(0):
        assert may_see(viewer, []) == set()
