"""The lines of a meeting's history in words. The shapes of `details` are those of visio.meetings.scheduling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.agents.models import Agent
from visio.meetings import words
from visio.meetings.booking_news import booked_words
from visio.meetings.models import AnsweredVia, ChangeKind, MeetingChange

NAMES_SHOWN = 3


@dataclass(frozen=True)
class HistoryLine:
    text: str
    by: str  # "" when the portal did it by itself
    at: dt.datetime
    revision: int
    latest: bool


def history_lines(changes: Iterable[MeetingChange], *, viewer: Agent, today: dt.date) -> list[HistoryLine]:
    """Newest first; `latest` marks the line of the current version."""
    return [
        HistoryLine(
            text=change_words(change, zone=viewer.time_zone, today=today),
            by=_by(change, viewer),
            at=change.at,
            revision=change.revision,
            latest=index == 0,
        )
        for index, change in enumerate(changes)
    ]


def _by(change: MeetingChange, viewer: Agent) -> str:
    """Who did it; a guest is known by what the line keeps of them. What came by mail says so."""
    if change.by is not None:
        name = _("Vous") if change.by == viewer else change.by.full_name
    else:
        name = change.details.get("name", "") if change.kind == ChangeKind.COUNTERED else ""
    if name and change.details.get("via") == AnsweredVia.EMAIL:
        return _("%(name)s, par courriel") % {"name": name}
    if change.on_behalf_of is not None and change.on_behalf_of == viewer:
        return _("%(name)s, de votre part") % {"name": name}
    if change.on_behalf_of is not None:
        return _("%(name)s, de la part de %(principal)s") % {"name": name, "principal": change.on_behalf_of.full_name}
    return name


def change_words(change: MeetingChange, *, zone: str, today: dt.date) -> str:
    """ "Déplacée : 14:00 devient 10:00"."""
    said = _change_words(change, zone=zone, today=today)
    date = change.details.get("date")
    if date is None:
        return said
    day = words.short_day(words.local(dt.datetime.fromisoformat(date), zone).date(), today=today)
    if change.details.get("scope") == "following":
        return _("%(change)s (à partir de la date du %(day)s)") % {"change": said, "day": day}
    return _("%(change)s (date du %(day)s)") % {"change": said, "day": day}


def _change_words(change: MeetingChange, *, zone: str, today: dt.date) -> str:
    details: dict[str, Any] = change.details
    if change.kind == ChangeKind.COUNTERED and {"name", "starts_at"} <= details.keys():
        when = _day_and_hour(dt.datetime.fromisoformat(details["starts_at"]), zone, today)
        return _("Autre horaire proposé par %(name)s : %(when)s") % {"name": details["name"], "when": when}
    if change.kind == ChangeKind.CANCELLED and "date" in details:
        return _("Annulée")
    if change.kind == ChangeKind.MOVED and {"before", "after"} <= details.keys():
        return moved_words(details["before"], details["after"], zone=zone, today=today)
    if change.kind == ChangeKind.EDITED:
        return _edited(details.get("fields", {}))
    if change.kind == ChangeKind.ATTENDEES:
        return _attendees(details)
    if change.kind == ChangeKind.BOOKED:
        return booked_words(details, zone=zone)
    return change.get_kind_display()


def moved_words(before: dict[str, str], after: dict[str, str], *, zone: str, today: dt.date) -> str:
    """The old time and the new, as short as they differ. Times are ISO instants."""
    old_start, old_end = dt.datetime.fromisoformat(before["starts_at"]), dt.datetime.fromisoformat(before["ends_at"])
    new_start, new_end = dt.datetime.fromisoformat(after["starts_at"]), dt.datetime.fromisoformat(after["ends_at"])
    if words.local(old_start, zone).date() == words.local(new_start, zone).date():
        if old_start != new_start:
            old, new = words.hour(old_start, zone), words.hour(new_start, zone)
        else:
            old, new = words.hours(old_start, old_end, zone), words.hours(new_start, new_end, zone)
    else:
        old, new = (_day_and_hour(at, zone, today) for at in (old_start, new_start))
    return _("Déplacée : %(old)s devient %(new)s") % {"old": old, "new": new}


def _day_and_hour(at: dt.datetime, zone: str, today: dt.date) -> str:
    return f"{words.short_day(words.local(at, zone).date(), today=today)}, {words.hour(at, zone)}"


def _edited(fields: dict[str, list[str]]) -> str:
    if "title" in fields and len(fields) == 1 and len(fields["title"]) == 2:
        return _("Renommée : avant « %(title)s »") % {"title": fields["title"][0]}
    named = {
        "title": _("titre"),
        "description": _("description"),
        "place": _("lieu"),
        "privacy": _("visibilité"),
        "room": _("Visio"),
        "tchap": _("salon Tchap"),
        "rule": _("répétition"),
        "resources": _("salle ou équipement"),
    }
    changed = ", ".join(named[name] for name in fields if name in named)
    return _("Modifiée : %(fields)s") % {"fields": changed} if changed else _("Modifiée")


def _attendees(details: dict[str, Any]) -> str:
    parts = []
    added, removed = details.get("added", []), details.get("removed", [])
    count_added = int(details.get("added_count", len(added)))
    count_removed = int(details.get("removed_count", len(removed)))
    if count_added:
        words_added = ngettext("Participant ajouté : %(names)s", "Participants ajoutés : %(names)s", count_added)
        parts.append(words_added % {"names": _names(added, count_added)})
    if count_removed:
        words_removed = ngettext("Participant retiré : %(names)s", "Participants retirés : %(names)s", count_removed)
        parts.append(words_removed % {"names": _names(removed, count_removed)})
    return ". ".join(parts) or str(ChangeKind.ATTENDEES.label)


def _names(names: list[str], count: int) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    others = count - min(len(names), NAMES_SHOWN)
    if not others:
        return shown
    return ngettext("%(names)s et %(count)d autre", "%(names)s et %(count)d autres", others) % {
        "names": shown,
        "count": others,
    }
