"""The dates of a series: local time, daylight saving, ends and exceptions (RFC 5545 §3.3.10, §3.8.5). Pure: no clock.

What the RFC leaves open is decided here once:

- The start is always the first date, and COUNT counts it, whether or not the rule would make it (§3.3.10: "always counts
  as the first occurrence"; Google and Outlook show it). Only an UNTIL before it leaves nothing. `aligned` moves a start to
  the rule's first date, so that what the portal itself plans always matches.
- A local time that a rule makes and that does not exist is skipped and not counted; a literal one (the start, an RDATE)
  uses the offset before the gap; one that happens twice is the first (R13).
- Whole days are dates: only a day that a zone skipped altogether is missing.

Every walk is bounded: by what is asked, by COUNT, by the calendar's 400 years, by year 9999.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from visio.meetings.rule_moves import moved
from visio.meetings.rules import Rule, RuleRefused, parse_rule
from visio.meetings.starts import Series, Start, aligned, matches, settled

__all__ = [
    "Rule",
    "RuleRefused",
    "Start",
    "aligned",
    "expand",
    "last_start",
    "matches",
    "moved",
    "next_start",
    "parse_rule",
    "settled",
    "split",
]

_WHOLE_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)


def expand(
    rule: Rule,
    *,
    start: dt.datetime,
    zone: str,
    is_all_day: bool,
    rdates: Sequence[dt.datetime] = (),
    exdates: Sequence[dt.datetime] = (),
    after: dt.datetime | None = None,
    before: dt.datetime,
    limit: int = 2000,
) -> list[Start]:
    """The first `limit` starts with after <= .at < before, in order, none twice.

    `start`, `rdates` and `exdates` are naive wall clocks of `zone` (midnight for whole days). RDATE adds, EXDATE removes from
    both; COUNT counts before EXDATE. RuleRefused when the start is absurd, UnknownZone when there is no such zone.
    """
    series = Series(rule, start=start, zone=zone, is_all_day=is_all_day)
    removed = {series.literal(wall).at for wall in exdates}
    found = {
        added.at: added
        for added in map(series.literal, rdates)
        if added.at < before and (not after or added.at >= after)
    }
    made = 0
    for date in series.from_instant(after, before):
        if date.at in removed:
            continue
        # The rule's own wall clock wins over an RDATE at the same instant.
        found[date.at] = date
        made += 1
        if made == limit:
            break
    return sorted((date for date in found.values() if date.at not in removed), key=lambda date: date.at)[:limit]


def next_start(rule: Rule, *, start: dt.datetime, zone: str, is_all_day: bool, at: dt.datetime) -> Start | None:
    """The first start that the rule makes at the instant `at` or later; None when there is none."""
    series = Series(rule, start=start, zone=zone, is_all_day=is_all_day)
    return next(series.from_instant(at, None), None)


def last_start(
    rule: Rule, *, start: dt.datetime, zone: str, is_all_day: bool, rdates: Sequence[dt.datetime] = ()
) -> Start | None:
    """The last start of the rule and its RDATEs; EXDATEs are not looked at: a removed date is still one of the series.

    None: it never ends, or only after more than 400 years. A rule that makes nothing but its start (30 February) ends there.
    """
    series = Series(rule, start=start, zone=zone, is_all_day=is_all_day)
    last = series.last()
    if last is None:
        return None
    return max([last, *map(series.literal, rdates)], key=lambda date: date.at)


def split(rule: Rule, *, start: dt.datetime, zone: str, is_all_day: bool, at: Start) -> tuple[Rule, Rule]:
    """The rule until just before `at`, and the rule from `at` on (R4); together they make what the rule made.

    The first keeps its start. The second starts at `at.wall`, which the rule must have made: for an RDATE, split at
    `next_start(…, at=that date)` and keep the date as an RDATE. COUNT is what is left; a time skipped by daylight saving
    was never counted. ValueError when nothing of the rule is left at `at`.
    """
    series = Series(rule, start=start, zone=zone, is_all_day=is_all_day)
    tail = rule
    if rule.count is not None:
        left = rule.count - sum(1 for _date in series.from_instant(None, at.at))
        tail = replace(rule, count=max(left, 1))
    if not series.within(at) or (rule.count is not None and left < 1):
        raise ValueError("nothing of the rule is left")
    until: dt.datetime | dt.date = at.wall.date() - _WHOLE_DAY if is_all_day else at.at - _SECOND
    return replace(rule, count=None, until=until), tail
