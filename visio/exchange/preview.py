"""The preview of an import in words, line by line: what asks for attention first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from suite.agents.models import Agent
from visio.exchange.planning import Plan, Step, change_words
from visio.exchange.sorting import LeftOut
from visio.meetings import words
from visio.meetings.rule_words import describe
from visio.meetings.rules import parse_rule

_ORDER = {"skip": 0, "cancel": 1, "change": 2, "create": 3, "same": 4}


@dataclass(frozen=True)
class Line:
    """`action`: "create", "change", "cancel", "same" or "skip". `why`: the reason, or what changes; `notes`: what is not kept."""

    number: int
    action: str
    title: str
    when: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()

    @property
    def action_words(self) -> str:
        return {
            "create": _("À créer"),
            "change": _("À modifier"),
            "cancel": _("À annuler"),
            "same": _("Inchangée"),
            "skip": _("Laissée de côté"),
        }[self.action]


def lines_of(plan: Plan, *, agent: Agent, now: dt.datetime) -> list[Line]:
    lines = [_of_step(step, agent, now) for step in plan.steps] + [_of_left_out(one) for one in plan.left_out]
    return sorted(lines, key=lambda line: (_ORDER[line.action], line.number))


def _of_left_out(one: LeftOut) -> Line:
    return Line(one.line, "skip", one.title, why=one.words)


def _of_step(step: Step, agent: Agent, now: dt.datetime) -> Line:
    why = ""
    if step.action == "change":
        why = capfirst(_("change : %(what)s") % {"what": change_words(step.changes)})
    elif step.action == "create" and not step.is_mine:
        why = _("Dans votre agenda seulement : une autre personne l’organise.")
    return Line(step.line, step.action, step.draft.title, _when(step, agent, now), why, step.notes)


def _when(step: Step, agent: Agent, now: dt.datetime) -> str:
    draft = step.draft
    zone = draft.time_zone if draft.is_all_day else agent.time_zone
    start = words.local(step.starts_at, zone)
    day = words.short_day(start.date(), today=words.local(now, agent.time_zone).date())
    if draft.is_all_day:
        hours = words.whole_days(step.starts_at, step.ends_at, zone)
        hours = hours[:1].lower() + hours[1:]
    else:
        hours = words.hours(step.starts_at, step.ends_at, zone)
    said = f"{day}, {hours}"
    if draft.rule:
        rule = describe(parse_rule(draft.rule, is_all_day=draft.is_all_day), draft.start, zone=draft.time_zone)
        return f"{said} · {rule}"
    return said
