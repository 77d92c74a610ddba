"""HEAD is GET without the body (RFC 9110 §9.3.2), however long it is: what follows on the connection is the next answer."""

from __future__ import annotations

import datetime as dt
import http.client
from urllib.parse import urlsplit

from django.utils import timezone

from suite.agents.tokens import issue_token
from tests import factories
from tests.processes import LivePortal

# What the server sends in one piece, at most.
PIECE = 64 * 1024


def test_a_long_answer_s_head_leaves_the_connection_clean(live_portal: LivePortal) -> None:
    agent = factories.agent()
    for day in range(8):
        factories.meeting(agent, starts_at=timezone.now() + dt.timedelta(days=day + 1), description="x" * 10_000)
    _token, secret = issue_token(agent=agent, name="test", days=1, now=timezone.now())
    where = urlsplit(live_portal.url)
    kept = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        lengths = []
        for method in ("HEAD", "GET", "HEAD", "GET"):
            kept.request(method, "/api/v1/meetings/", headers=headers)
            answer = kept.getresponse()
            body = answer.read()
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
            lengths.append((len(body), int(answer.headers["Content-Length"])))
    finally:
        kept.close()
    size = lengths[1][0]
    assert size > PIECE
    assert lengths == [(0, size), (size, size)] * 2
