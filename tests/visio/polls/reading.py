"""The pages of polls as a test reads them."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse

from suite.agents.models import Agent
from tests.visio.polls.asking import person
from visio.polls.models import Poll
from visio.polls.tokens import link_token


def html(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response
    text = " ".join(response.content.decode().split())
    assert "INVALID-TEMPLATE-VARIABLE" not in text
    return text


def at(name: str, of: Poll, **more: Any) -> str:
    return reverse(f"polls:{name}", kwargs={"public_id": of.public_id, **more})


def guest_path(of: Poll, who: Agent | str) -> str:
    return reverse("poll_guest:page", args=[link_token(person(of, who))])


def marked(page: str) -> int:
    return len(re.findall(r'name="vote-[^"]+" value="\w+" checked', page))
