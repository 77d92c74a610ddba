"""From an event of a file to the draft of a meeting. Pure."""

from __future__ import annotations

from django.utils.translation import gettext as _

from visio.exchange.reading import Person, ReadEvent
from visio.meetings.drafts import DESCRIPTION_LENGTH, Invitee, MeetingDraft


def draft_of(event: ReadEvent, *, attendees: tuple[Invitee, ...] = ()) -> MeetingDraft:
    """Without a room and a Tchap room: nobody asked for them. `attendees` for what the agent organises."""
    return MeetingDraft(
        title=event.title,
        start_date=event.start.wall.date(),
        start_time=event.start.wall.time(),
        time_zone=event.start.zone,
        minutes=event.minutes,
        description=event.description,
        place=event.place,
        privacy=event.privacy,
        wants_room=False,
        wants_tchap=False,
        attendees=attendees,
        is_all_day=event.is_all_day,
        rule=event.rule,
        rdates=event.rdates,
        exdates=event.exdates,
    )


def organised_by(description: str, organiser: Person) -> str:
    """The description of somebody else's meeting: who organises it stays known."""
    who = " ".join(part for part in (organiser.name, f"<{organiser.email}>" if organiser.email else "") if part)
    line = _("Organisée par %(who)s.") % {"who": who or _("une personne sans adresse")}
    return f"{line}\n\n{description}"[:DESCRIPTION_LENGTH].strip()
