"""What an organiser asks in a date poll, before it is one: its shape and its rules. No database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from visio.meetings import wallclock, words
from visio.meetings.drafts import MOST_MINUTES, Invitee, MeetingDraft, validate_draft

FEWEST_DATES = 2
MOST_DATES = 30
MOST_YEARS = 50
# A grid that one person can read; a meeting for more people is announced, not asked about.
MOST_PEOPLE = 500


@dataclass(frozen=True)
class PollDraft:
    """A poll as its organiser wants it. `dates` and `deadline` are naive wall clocks of `time_zone`."""

    title: str
    dates: tuple[dt.datetime, ...]
    time_zone: str
    minutes: int
    description: str = ""
    place: str = ""
    deadline: dt.datetime | None = None
    # Whom to ask, without the organiser; the role says who must be there.
    people: tuple[Invitee, ...] = ()
    shows_votes: bool = True
    wants_room: bool = True
    wants_tchap: bool = True

    def starts(self) -> list[dt.datetime]:
        """The proposed instants in UTC, in the order of `dates`. Raises UnknownZone and OverflowError."""
        return [wallclock.instant(date.date(), date.time(), self.time_zone) for date in self.dates]

    def deadline_at(self) -> dt.datetime | None:
        """The deadline in UTC. Raises UnknownZone and OverflowError."""
        if self.deadline is None:
            return None
        return wallclock.instant(self.deadline.date(), self.deadline.time(), self.time_zone)


@dataclass
class Faults:
    """What is wrong, by field of PollDraft, in the current language; `rows` are the places in `dates` that are meant."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)

    def refuse(self, name: str, sentence: str, *rows: int) -> None:
        self.errors.setdefault(name, []).append(sentence)
        self.rows.update(rows)

    def __bool__(self) -> bool:
        return bool(self.errors)


def find_faults(
    draft: PollDraft,
    *,
    now: dt.datetime,
    kept: Collection[dt.datetime] = (),
    kept_deadline: dt.datetime | None = None,
) -> Faults:
    """The rules shared by the form and the API. What an edited poll proposes already (`kept`, `kept_deadline`) may be past."""
    faults = Faults()
    # Title, place, description, duration, zone and people are those of the meeting that it may become.
    soon = now + dt.timedelta(days=2)
    meeting = MeetingDraft(
        title=draft.title,
        start_date=soon.date(),
        start_time=soon.time(),
        time_zone=draft.time_zone,
        # One more than is allowed is refused in the same words, and can be reckoned with.
        minutes=min(draft.minutes, MOST_MINUTES + 1),
        description=draft.description,
        place=draft.place,
        attendees=draft.people,
    )
    for name, sentences in validate_draft(meeting, now=now).items():
        for sentence in sentences:
            faults.refuse({"attendees": "people"}.get(name, name), sentence)
    if not draft.people:
        faults.refuse("people", _("Indiquez au moins une personne à consulter."))
    elif len(draft.people) > MOST_PEOPLE:
        faults.refuse("people", _("Un sondage consulte %(most)s personnes au plus.") % {"most": MOST_PEOPLE})
    if len(draft.dates) < FEWEST_DATES:
        faults.refuse("dates", _("Proposez au moins deux dates."))
    elif len(draft.dates) > MOST_DATES:
        faults.refuse("dates", _("Un sondage propose %(most)s dates au plus.") % {"most": MOST_DATES})
    if "time_zone" not in faults.errors:
        starts = _check_dates(draft, faults, now=now, kept=kept)
        _check_deadline(draft, faults, now=now, starts=starts, kept=kept_deadline)
    return faults


def _check_dates(
    draft: PollDraft, faults: Faults, *, now: dt.datetime, kept: Collection[dt.datetime]
) -> list[dt.datetime]:
    """The instants that can be reckoned with."""
    seen: dict[dt.datetime, int] = {}
    known = set(kept)
    for row, date in enumerate(draft.dates[: MOST_DATES + 1]):
        said = {"date": date_words(date)}
        try:
            at = wallclock.instant(date.date(), date.time(), draft.time_zone)
            at + dt.timedelta(minutes=draft.minutes)
        except OverflowError:
            faults.refuse("dates", _("« %(date)s » est hors du calendrier.") % said, row)
            continue
        if at in seen:
            faults.refuse("dates", _("« %(date)s » est proposé deux fois.") % said, row)
        elif at not in known and at <= now:
            faults.refuse("dates", _("« %(date)s » est déjà passé.") % said, row)
        elif at.year > now.year + MOST_YEARS:
            faults.refuse("dates", _("« %(date)s » est trop loin : choisissez dans les cinquante ans.") % said, row)
        seen.setdefault(at, row)
    return sorted(seen)


def _check_deadline(
    draft: PollDraft,
    faults: Faults,
    *,
    now: dt.datetime,
    starts: list[dt.datetime],
    kept: dt.datetime | None,
) -> None:
    try:
        deadline = draft.deadline_at()
    except OverflowError:
        faults.refuse("deadline", _("Cette date est hors du calendrier."))
        return
    if deadline is None or deadline == kept:
        return
    if deadline <= now:
        faults.refuse("deadline", _("Cette limite est déjà passée : choisissez une heure à venir."))
    elif starts and deadline >= starts[0]:
        faults.refuse("deadline", _("La limite doit venir avant la première date proposée."))


def date_words(wall: dt.datetime) -> str:
    """ "Jeu. 26 nov. 2026, 10:00" of a wall clock."""
    return f"{words.short_day(wall.date(), today=dt.date.min)}, {wall:%H:%M}"
