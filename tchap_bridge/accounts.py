"""From an agent's address to their Tchap account: looked up and confirmed, never guessed twice."""

from __future__ import annotations

import re

from suite.agents.models import Agent
from tchap_bridge.matrix import Matrix

_KEPT = re.compile(r"[a-z0-9_\-./=]+")
# A user id is at most 255 characters, server name included (Matrix, appendix "User Identifiers").
LONGEST_ID = 255


def candidate(email: str, server_name: str) -> str | None:
    """The user id that Tchap derives from an address; only a candidate.

    Lower case, "@" becomes "-". Tchap drops every character outside a-z0-9_-./=, after which two addresses may give one name:
    for such an address, and for what is none, None.
    """
    before, at, domain = email.lower().rpartition("@")
    local = f"{before}-{domain}"
    found = f"@{local}:{server_name}"
    if not (before and at and domain) or not _KEPT.fullmatch(local) or len(found) > LONGEST_ID:
        return None
    return found


def find_account(matrix: Matrix, agent: Agent) -> str | None:
    """The agent's user id, confirmed by its profile, or None; a found one is remembered on the agent.

    Raises MatrixError when the homeserver cannot say.
    """
    if agent.matrix_id:
        return agent.matrix_id if matrix.profile(agent.matrix_id) is not None else None
    server = matrix.server_of_address(agent.email)
    if server is not None and server != matrix.access.server_name:
        # Another ministry's server: its accounts follow from nothing that can be confirmed here.
        return None
    user_id = candidate(agent.email, matrix.access.server_name)
    if user_id is None or matrix.profile(user_id) is None:
        return None
    if Agent.objects.filter(matrix_id=user_id).exists():
        # a-b@c and a@b-c are one candidate: it belongs to whom it was given first.
        return None
    Agent.objects.filter(pk=agent.pk, matrix_id="").update(matrix_id=user_id)
    return user_id
