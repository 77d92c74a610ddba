"""A plain letter to an agent: rendered in their language, owed to their address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from suite.agents.models import Agent
from suite.mail import outbox
from suite.mail.letter import Button, Fact, Section, render_letter


def owe_letter(
    to: Agent,
    *,
    key: str,
    kind: str,
    due_at: dt.datetime,
    subject: str,
    kicker: str,
    title: str,
    paragraphs: Sequence[str] = (),
    when: str = "",
    facts: Sequence[Fact] = (),
    sections: Sequence[Section] = (),
    buttons: Sequence[Button] = (),
    answers_to: Agent | None = None,
    unsubscribe_url: str = "",
    useless_after: dt.datetime | None = None,
) -> bool:
    """Owe one letter whose words are in the agent's language already; False when this `key` was owed before.

    `answers_to`: whom a reply reaches. The rest is as in `render_letter` and `outbox.owe`.
    """
    text, html = render_letter(
        language=to.language,
        subject=subject,
        kicker=kicker,
        title=title,
        paragraphs=paragraphs,
        when=when,
        facts=facts,
        sections=sections,
        buttons=buttons,
        unsubscribe_url=unsubscribe_url,
    )
    return outbox.owe(
        key=key,
        kind=kind,
        recipient=to.email,
        recipient_name=to.full_name,
        subject=subject,
        text=text,
        html=html,
        due_at=due_at,
        reply_to=answers_to.email if answers_to else "",
        reply_to_name=answers_to.full_name if answers_to else "",
        unsubscribe_url=unsubscribe_url,
        useless_after=useless_after,
    )
