"""What a room was told of its meeting, and the messages that the next difference makes. Pure.

`told` (JSON) is kept with the room. Of a series it holds the rule and the coming dates that differ from it, never the next
date: that rolls on as dates pass, which is no news.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from tchap_bridge import messages
from tchap_bridge.facts import DateFacts, MeetingFacts
from tchap_bridge.messages import Repeat, Text, When
from visio.meetings import wallclock, words

# More dates than this changed at once are told as a number.
MOST_DATES = 5
_DAY = 24 * 60


def told_of(facts: MeetingFacts) -> dict[str, Any]:
    told: dict[str, Any] = {
        "meeting": facts.meeting_id,
        "title": messages.one_line(facts.title),
        "place": messages.one_line(facts.place),
        "cancelled": facts.is_cancelled,
        "wanted": facts.wants_tchap,
        "next": _times(facts.when),
        "followed_by": [one.public_id for one in facts.successors if not one.awaits_room],
    }
    if facts.repeat is None:
        return told | _times(facts.when)
    return told | {
        "rule": facts.repeat.rule,
        "start": facts.repeat.start.isoformat(),
        "minutes": facts.repeat.minutes,
        "time_zone": facts.repeat.time_zone,
        "is_all_day": facts.repeat.is_all_day,
        "dates": {date.key: _date_told(date) for date in facts.dates},
    }


def remembered(facts: MeetingFacts, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a room that was told `told` knows when it was told the difference.

    While the rest of the series waits for the room (handover), how its own part ends is no news: the rest tells what comes.
    """
    now = told_of(facts)
    awaited = "rule" in told and "rule" in now and any(one.awaits_room for one in facts.successors)
    if awaited and _ends_otherwise(_timing(told), _timing(now)):
        return now | {"rule": told["rule"]}
    return now


def next_told(told: Mapping[str, Any]) -> When | None:
    """The date that the room knows as the next one; None in a room that was told by an older version."""
    return _when(told["next"]) if "next" in told else None


def news(facts: MeetingFacts, told: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """What to tell a room that was last told `told`: (about, text), each `about` once a version. Nothing to an untold room."""
    now, language = remembered(facts, told), facts.language
    if not told or dict(told) == now:
        return []
    if now["cancelled"]:
        words_ = messages.cancelled(facts.when, language=language, is_series=facts.repeat is not None)
        return [] if told["cancelled"] else [("cancelled", words_)]
    if not now["wanted"]:
        return [(f"detached:{facts.revision}", messages.detached(language=language))] if told["wanted"] else []
    found = []
    if not told["wanted"]:
        found.append((f"reopened:{facts.revision}", messages.reopened(language=language)))
    if now["title"] != told["title"]:
        found.append((f"renamed:{facts.revision}", messages.renamed(facts.title, language=language)))
    followed = list(_followed(facts, told))
    before, after = _timing(told), _timing(now)
    if _is_moved(before, after, told, now) and not (followed and _ends_otherwise(before, after)):
        coming = None if facts.repeat is None or facts.is_over else facts.when
        text = messages.moved(before, after, language=language, coming=coming)
        found.append((f"moved:{facts.revision}", text))
    if now["place"] != told["place"]:
        found.append((f"placed:{facts.revision}", messages.placed(facts.place, language=language)))
    return [*found, *_dates(facts, told), *followed]


def _followed(facts: MeetingFacts, told: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    known = told.get("followed_by", [])
    for one in facts.successors:
        if one.public_id in known or one.public_id not in told_of(facts)["followed_by"]:
            continue
        text = messages.followed(
            one.title,
            one.timing,
            one.first,
            room_url=one.room_url,
            page_url=one.page_url,
            language=facts.language,
        )
        yield f"followed:{one.public_id}", text


def _is_moved(before: When | Repeat, after: When | Repeat, told: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if told.get("meeting", now["meeting"]) == now["meeting"]:
        return before != after
    # The room was another meeting's, which this one continues: it begins later, which is no news.
    return messages.timing_words(before) != messages.timing_words(after)


def _ends_otherwise(before: When | Repeat, after: When | Repeat) -> bool:
    """Nothing but the end differs: the dates that are left are those that were there."""
    if not isinstance(before, Repeat) or not isinstance(after, Repeat):
        return False
    same = (before.start, before.minutes, before.time_zone, before.is_all_day)
    return same == (after.start, after.minutes, after.time_zone, after.is_all_day) and before.endless == after.endless


def _dates(facts: MeetingFacts, told: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """What happened to single dates. Nothing when the series moved: its dates went along, and it was told."""
    before, repeat = _timing(told), facts.repeat
    same_meeting = told.get("meeting", facts.meeting_id) == facts.meeting_id
    if repeat is None or not isinstance(before, Repeat) or not same_meeting or not _ends_otherwise(before, repeat):
        return []
    old: Mapping[str, Any] = told.get("dates", {})
    new = {date.key: _date_told(date) for date in facts.dates}
    found: list[tuple[str, Text]] = []
    changed = 0
    for key in sorted(old.keys() | new.keys()):
        planned = _as_planned(key, repeat)
        if key not in new and (before != repeat or _when(old[key]).ends_at <= facts.read_at):
            # It is over, or no date of the shortened series any more.
            continue
        said = list(_date(facts, old.get(key, planned), new.get(key, planned)))
        changed += bool(said)
        found += [(f"date-{kind}:{_short(key)}:{facts.revision}", text) for kind, text in said]
    if changed > MOST_DATES:
        text = messages.many_dates(changed, page_url=facts.page_url, language=facts.language)
        return [(f"dates:{facts.revision}", text)]
    return found


def _date(facts: MeetingFacts, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    before, after, language = _when(old), _when(new), facts.language
    if new["cancelled"]:
        if not old["cancelled"]:
            yield "cancelled", messages.date_cancelled(before, language=language)
        return
    if old["cancelled"]:
        yield "kept", messages.date_kept(after, language=language)
    elif before != after:
        yield "moved", messages.date_moved(before, after, language=language)
    if old["title"] != new["title"]:
        title = facts.title if new["title"] is None else new["title"]
        yield "renamed", messages.date_renamed(after, title, language=language)
    if old["place"] != new["place"]:
        place = facts.place if new["place"] is None else new["place"]
        yield "placed", messages.date_placed(after, place, language=language)


def _date_told(date: DateFacts) -> dict[str, Any]:
    return {
        **_times(date.when),
        "cancelled": date.is_cancelled,
        "title": None if date.title is None else messages.one_line(date.title),
        "place": None if date.place is None else messages.one_line(date.place),
    }


def _as_planned(key: str, repeat: Repeat) -> dict[str, Any]:
    """The date as the rule makes it."""
    starts_at = dt.datetime.fromisoformat(key)
    ends_at = starts_at + dt.timedelta(minutes=repeat.minutes)
    if repeat.is_all_day:
        day = words.local(starts_at, repeat.time_zone).date()
        ends_at = wallclock.day_span(day, repeat.time_zone, repeat.minutes // _DAY)[1]
    when = When(starts_at, ends_at, repeat.time_zone, repeat.is_all_day)
    return {**_times(when), "cancelled": False, "title": None, "place": None}


def _timing(told: Mapping[str, Any]) -> When | Repeat:
    if "rule" not in told:
        return _when(told)
    start = dt.datetime.fromisoformat(told["start"])
    return Repeat(told["rule"], start, told["minutes"], told["time_zone"], told["is_all_day"])


def _times(when: When) -> dict[str, Any]:
    return {
        "starts_at": when.starts_at.astimezone(dt.UTC).isoformat(),
        "ends_at": when.ends_at.astimezone(dt.UTC).isoformat(),
        "time_zone": when.time_zone,
        "is_all_day": when.is_all_day,
    }


def _when(told: Mapping[str, Any]) -> When:
    starts_at, ends_at = (dt.datetime.fromisoformat(told[name]) for name in ("starts_at", "ends_at"))
    return When(starts_at, ends_at, told["time_zone"], told.get("is_all_day", False))


def _short(key: str) -> str:
    return f"{dt.datetime.fromisoformat(key):%Y%m%dT%H%M%SZ}"
