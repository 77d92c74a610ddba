"""What a token may do: every API view says which right it wants, and the refusal names the one that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from suite.agents.models import PersonalToken
from suite.agents.scopes import ALL, READING, SCOPES, HasScope, scope_words
from suite.agents.tokens import issue_token
from tests import factories

OPEN = {"SpectacularAPIView", "UnknownApi"}
METHODS = ("get", "post", "put", "patch", "delete")


def views(patterns: Any = None) -> Iterator[type[APIView]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            yield from views(entry.url_patterns)
        elif isinstance(entry, URLPattern):
            view = getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, APIView):
                yield view


VIEWS = sorted({view for view in views() if view.__name__ not in OPEN}, key=lambda view: view.__name__)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_api_view_says_which_right_each_method_wants(view: Any) -> None:
    answered = {method.upper() for method in METHODS if hasattr(view, method)}
    assert set(view.scopes) == answered
    assert set(view.scopes.values()) <= set(SCOPES)
    assert HasScope in view.permission_classes
    for method, scope in view.scopes.items():
        # What changes nothing wants no right to write; the search for slots is a POST that only reads.
        assert scope.endswith(":read") is (method == "GET" or view.__name__ == "SlotsApi")


def test_there_are_api_views() -> None:
    assert len(VIEWS) > 15


def tool(*scopes: str) -> Client:
    _token, secret = issue_token(agent=factories.agent(), name="x", days=1, now=timezone.now(), scopes=scopes)
    return Client(HTTP_AUTHORIZATION=f"Bearer {secret}")


PATHS = [
    ("get", "/api/v1/meetings/", "meetings:read"),
    ("post", "/api/v1/meetings/", "meetings:write"),
    ("get", "/api/v1/agenda/", "meetings:read"),
    ("get", "/api/v1/directory/?q=ab", "directory:read"),
    ("get", "/api/v1/presence/", "presence:read"),
    ("put", "/api/v1/presence/", "presence:write"),
    ("get", "/api/v1/availability/", "availability:read"),
    ("post", "/api/v1/slots/", "availability:read"),
    ("get", "/api/v1/polls/", "polls:read"),
    ("post", "/api/v1/polls/", "polls:write"),
    ("get", "/api/v1/resources/", "resources:read"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "scope"), PATHS)
def test_a_token_without_the_right_is_refused_and_told_which(method: str, path: str, scope: str) -> None:
    refused = getattr(tool(*(key for key in ALL if key != scope)), method)(path, content_type="application/json")
    assert (refused.status_code, refused.json()["type"], refused.json()["scope"]) == (
        403,
        "urn:suite:problem:missing-scope",
        scope,
    )
    let_in = getattr(tool(scope), method)(path, content_type="application/json")
    assert let_in.status_code in {200, 400}


@pytest.mark.django_db
def test_a_token_without_any_right_reads_nothing_and_a_head_is_a_get() -> None:
    assert tool().get("/api/v1/meetings/").status_code == 403
    assert tool().head("/api/v1/meetings/").status_code == 403
    assert tool("meetings:read").head("/api/v1/meetings/").status_code == 200


@pytest.mark.django_db
def test_a_person_who_is_signed_in_has_every_right() -> None:
    browser = Client()
    browser.force_login(factories.agent(), backend="suite.agents.login.ProConnectBackend")
    assert browser.get("/api/v1/meetings/").status_code == 200


@pytest.mark.django_db
def test_what_is_no_right_is_not_kept() -> None:
    token, _secret = issue_token(
        agent=factories.agent(), name="x", days=1, now=timezone.now(), scopes=["all", "polls:read", "meetings:read"]
    )
    assert token.scopes == ["meetings:read", "polls:read"]
    assert scope_words(["gone:read", "meetings:read"]) == [str(SCOPES["meetings:read"]), "gone:read"]
    assert set(READING) < set(ALL)


@pytest.mark.django_db
def test_tokens_made_before_keep_all_that_they_could_do() -> None:
    old, _secret = issue_token(agent=factories.agent(), name="x", days=1, now=timezone.now(), scopes=[])
    chosen, _other = issue_token(agent=factories.agent(), name="x", days=1, now=timezone.now(), scopes=["polls:read"])
    fill = import_module("suite.agents.migrations.0004_tokens_keep_their_rights")._FILL
    with connection.cursor() as cursor:
        cursor.execute(fill)
    assert sorted(PersonalToken.objects.get(pk=old.pk).scopes) == sorted(ALL)
    assert PersonalToken.objects.get(pk=chosen.pk).scopes == ["polls:read"]
