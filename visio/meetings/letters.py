"""From a row of the ledger to an e-mail.

What a thousand invitations share (texts, calendar) is rendered once per language, zone and kind of reader; each letter then
fills in its reader's own links. The shared text holds random markers where the links go, which nothing typed can imitate.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import secrets
import uuid
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.html import escape
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.plain import one_line
from suite.mail.message import OutgoingMail
from visio.meetings import letter_dates, letter_leads, letter_words, tokens
from visio.meetings.dates import occurrence_key
from visio.meetings.ical import CalendarText, Recipient
from visio.meetings.letter_rows import Differences, Known, date_of, know, read_meetings
from visio.meetings.letter_words import Told
from visio.meetings.models import Answer, Attendee, Delivery, DeliveryReason, Meeting, Method, Occurrence, Role, Status
from visio.meetings.reply_addresses import address_of, reply_address

_NAMED = 3


@dataclass(frozen=True)
class _Fact:
    label: str
    text: str = ""
    was: str = ""
    url: str = ""
    url_words: str = ""


def _rooms_words(calendar: CalendarText, told: Told) -> list[str]:
    """The physical rooms of what the letter tells, where people meet who come in person."""
    booked = calendar.booked(told.occurrence.recurrence_id if told.is_date_of_series else None)
    unsure = _("à confirmer")
    return [
        one_line(one.name) if one.accepted else f"{one_line(one.name)} ({unsure})"
        for one in booked
        if one.kind == "room"
    ]


@dataclass(frozen=True)
class _Button:
    words: str
    url: str


class _Blanks:
    """A text with markers, cut at them once, to be filled in many times."""

    def __init__(self, text: str, markers: dict[str, str]) -> None:
        names = "|".join(map(re.escape, markers.values()))
        self._parts = re.split(f"({names})", text)
        where = {marker: name for name, marker in markers.items()}
        self._fill = [(index, where[part]) for index, part in enumerate(self._parts) if part in where]

    def filled(self, values: dict[str, str]) -> str:
        parts = self._parts.copy()
        for index, name in self._fill:
            parts[index] = values[name]
        return "".join(parts)


@dataclass(frozen=True)
class _Shared:
    """What every reader of one language, zone and kind gets, blanks in place of their links."""

    subject: str
    sender_name: str
    text: _Blanks
    html: _Blanks
    calendar: CalendarText


@dataclass(frozen=True)
class _People:
    names: tuple[str, ...]
    others: int


def message_id(delivery: Delivery) -> str:
    """Derived, so that a message sent twice is recognised as one (RFC 5322 §3.6.4); another one for every "renvoyer"."""
    recurrence = delivery.recurrence_id.isoformat() if delivery.recurrence_id else ""
    parts = [delivery.uid, recurrence, delivery.sequence, delivery.revision, delivery.recipient, delivery.method]
    seed = json.dumps([*parts, delivery.resends])
    return f"<{hashlib.sha256(seed.encode()).hexdigest()[:40]}@{settings.UID_DOMAIN}>"


class Press:
    """Prints letters; keep one for a batch. `rows`: those that it will be asked for, so that they are read together.

    `now` decides which date of a series is its next. A meeting is told as it was when the press read it; `forget` makes it
    read again.
    """

    def __init__(self, rows: Iterable[Delivery] = (), *, now: dt.datetime) -> None:
        mark = secrets.token_hex(8)
        self._markers = {name: f"z{name}{mark}" for name in ("rsvp", "join", "who")}
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._calendars: dict[tuple[object, ...], CalendarText] = {}
        self._people: dict[int, _People] = {}
        self._rows = list(rows)
        self._now = now
        self._known = know({row.meeting_id: row.meeting for row in self._rows}.values(), self._rows, now=now)
        # EMAIL_FROM may carry a display name; ours says who invites.
        self._sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        self._html = get_template("mail/invitation.html")
        self._text = get_template("mail/invitation.txt")

    def forget(self, meeting_id: int) -> Meeting:
        """Read this meeting again; answers it as it is now."""
        meeting = read_meetings([meeting_id])[meeting_id]
        for row in self._rows:
            if row.meeting_id == meeting_id:
                row.meeting = meeting
        self._known.pop(meeting_id, None)
        self._people.pop(meeting_id, None)
        self._shared = {key: shared for key, shared in self._shared.items() if key[0] != meeting_id}
        self._calendars = {key: text for key, text in self._calendars.items() if key[0] != meeting_id}
        return meeting

    def is_on(self, delivery: Delivery) -> bool:
        """Whether what the row invites to still takes place with its recipient."""
        if delivery.meeting.is_cancelled or delivery.attendee is None:
            return False
        date = date_of(delivery)
        if date is None:
            return True
        known = self._knowing(delivery)
        occurrence = known.dates.of(date)
        differences = known.differences.get(delivery.attendee.pk)
        return (
            occurrence is not None
            and occurrence.status != Status.CANCELLED
            and not (differences is not None and date in differences.absent)
        )

    def letter(self, delivery: Delivery, *, now: dt.datetime) -> OutgoingMail:
        """The e-mail that `delivery` owes."""
        known = self._knowing(delivery)
        meeting, attendee = known.meeting, delivery.attendee
        agent = attendee.agent if attendee else None
        zone = agent.time_zone if agent else settings.TIME_ZONE
        rsvp = join = ""
        if attendee is not None and delivery.method != Method.CANCEL:
            rsvp = tokens.rsvp_url(attendee)
            if meeting.room is not None:
                join = tokens.join_url(meeting) if agent else f"{rsvp}{tokens.GUEST_JOIN}"
        shared = self._shared_for(delivery, known, zone=zone, is_agent=agent is not None)
        recipient = _recipient(delivery, attendee, known.differences.get(delivery.attendee_id or 0))
        texts = {"rsvp": rsvp, "join": join, "who": delivery.recipient}
        return OutgoingMail(
            message_id=message_id(delivery),
            date=now,
            sender=self._sender,
            sender_name=shared.sender_name,
            recipient=delivery.recipient,
            recipient_name=delivery.recipient_name,
            envelope_sender=recipient.organiser_address,
            reply_to=meeting.organiser.email,
            reply_to_name=meeting.organiser.full_name,
            subject=shared.subject,
            text=shared.text.filled(texts),
            html=shared.html.filled({name: escape(value) for name, value in texts.items()}),
            calendar=shared.calendar.render(recipient=recipient, join_url=join, stamp=now),
            method=delivery.method,
        )

    def _knowing(self, delivery: Delivery) -> Known:
        known = self._known.get(delivery.meeting_id)
        if known is None:
            rows = [row for row in self._rows if row.meeting_id == delivery.meeting_id] or [delivery]
            known = know([delivery.meeting], rows, now=self._now)[delivery.meeting_id]
            self._known[delivery.meeting_id] = known
        return known

    def _shared_for(self, delivery: Delivery, known: Known, *, zone: str, is_agent: bool) -> _Shared:
        date = date_of(delivery)
        # Whom a row is for is in no text.
        before = json.dumps(
            {name: value for name, value in delivery.before.items() if name != "attendee"}, sort_keys=True
        )
        what = (delivery.meeting_id, date, delivery.sequence, delivery.method)
        others = letter_dates.others(delivery, known) if date is None else ()
        who = (delivery.language, zone, is_agent, *(other.occurrence.pk for other in others))
        key = (*what, _is_back(delivery), delivery.revision, delivery.reason, before, *who)
        shared = self._shared.get(key)
        if shared is None:
            occurrence = known.shown if date is None else known.date(delivery, date)
            is_series = known.meeting.is_series and date is None
            told = Told(
                delivery=delivery,
                meeting=known.meeting,
                occurrence=occurrence if is_series else _as_known(delivery, occurrence),
                zone=zone,
                is_series=is_series,
                is_first=known.shown_is_first,
                others=others,
            )
            with translation.override(delivery.language):
                only = None if _is_back(delivery) else date
                calendar_key = (*what, only, delivery.language)
                if calendar_key not in self._calendars:
                    self._calendars[calendar_key] = CalendarText(
                        meeting=known.meeting,
                        dates=known.dates if only is None else known.dates.with_date(occurrence),
                        method=delivery.method,
                        sequence=delivery.sequence,
                        only=only,
                    )
                shared = self._render_shared(told, self._calendars[calendar_key], is_agent=is_agent)
            self._shared[key] = shared
        return shared

    def _render_shared(self, told: Told, calendar: CalendarText, *, is_agent: bool) -> _Shared:
        delivery, meeting = told.delivery, told.meeting
        subject = letter_words.subject(told)
        context = {
            "language": delivery.language,
            "subject": subject,
            "title": told.title,
            "is_invitation": delivery.reason == DeliveryReason.INVITED,
            "is_cancel": delivery.method == Method.CANCEL,
            "kicker": letter_leads.kicker(told),
            "lead": letter_leads.lead(told),
            "was": letter_words.was(told),
            "when_label": letter_words.when_label(told),
            "when": letter_words.when(told),
            "when_note": letter_words.when_note(told),
            "elsewhere": letter_words.elsewhere(told),
            "repeats": letter_words.repeats(told),
            "question": letter_leads.question(told),
            "buttons": self._buttons(told),
            "facts": self._facts(told, calendar, is_agent=is_agent),
            "version": letter_words.version(told),
            "personal": _("Cette invitation est personnelle, pour %(who)s : ne la transférez pas.")
            % {"who": self._markers["who"]}
            if delivery.method == Method.REQUEST
            else "",
            "privacy_url": f"{settings.PORTAL_URL}/donnees-personnelles/",
        }
        return _Shared(
            subject=subject,
            sender_name=_("%(name)s via Visio") % {"name": meeting.organiser.full_name},
            text=_Blanks(self._text.render(context), self._markers),
            html=_Blanks(self._html.render(context), self._markers),
            calendar=calendar,
        )

    def _buttons(self, told: Told) -> list[_Button]:
        # An answer to one date of a series is kept for that date alone.
        which = f"&date={occurrence_key(told.occurrence)}" if told.is_date_of_series else ""
        return [
            _Button(label, f"{self._markers['rsvp']}?reponse={answer}{which}")
            for label, answer in (
                (_("Accepter"), Answer.ACCEPTED),
                (_("Peut-être"), Answer.TENTATIVE),
                (_("Décliner"), Answer.DECLINED),
            )
        ]

    def _facts(self, told: Told, calendar: CalendarText, *, is_agent: bool) -> list[_Fact]:
        delivery, meeting, before = told.delivery, told.meeting, told.before
        is_told = delivery.method != Method.CANCEL
        can_join = meeting.room is not None and is_told
        facts = []
        if before.get("title", told.title) != told.title:
            facts.append(_Fact(_("Titre"), text=told.title, was=before["title"]))
        old_rule = letter_words.old_rule(told)
        if old_rule:
            facts.append(_Fact(_("Répétition"), text=letter_words.repeats(told), was=old_rule))
        facts += [_Fact(line.label, text=line.text, was=line.was) for line in letter_dates.lines(told)]
        proposed = letter_words.proposed(told)
        if proposed:
            facts.append(_Fact(_("Votre proposition"), was=proposed))
        if before.get("words"):
            facts.append(_Fact(_("Message"), text=before["words"]))
        old_place = before.get("place", told.place)
        if told.place or can_join or old_place:
            url_words = tokens.join_url(meeting).split("://")[-1].rstrip("/") if is_agent else _("Rejoindre la visio")
            facts.append(
                _Fact(
                    _("Lieu"),
                    text=told.place,
                    was=old_place if old_place != told.place else "",
                    url=self._markers["join"] if can_join else "",
                    url_words=url_words,
                )
            )
        rooms = _rooms_words(calendar, told) if is_told else []
        if rooms:
            facts.append(_Fact(_("Salle") if len(rooms) == 1 else _("Salles"), text=", ".join(rooms)))
        if told.description and is_told:
            facts.append(_Fact(_("Ordre du jour"), text=told.description))
        unchanged = letter_words.unchanged(told)
        if unchanged:
            facts.append(_Fact(_("Inchangé"), text=unchanged))
        if is_told:
            facts.append(_Fact(_("Participants"), text=self._people_words(meeting)))
        return facts

    def _people_words(self, meeting: Meeting) -> str:
        people = self._people.get(meeting.pk)
        if people is None:
            guests = Attendee.objects.filter(meeting=meeting, only_occurrence=None).exclude(role=Role.CHAIR)
            names = tuple(one_line(a.display_name) for a in guests.select_related("agent").order_by("pk")[:_NAMED])
            people = _People(names=names, others=max(0, guests.count() - len(names)))
            self._people[meeting.pk] = people
        organiser = _("%(name)s (organisateur)") % {"name": meeting.organiser.full_name}
        named = [organiser, *people.names]
        if not people.others:
            return get_text_list(named, _("et"))
        others = ngettext("%(count)d autre", "%(count)d autres", people.others) % {"count": people.others}
        return get_text_list([", ".join(named), others], _("et"))


def _recipient(delivery: Delivery, attendee: Attendee | None, differences: Differences | None) -> Recipient:
    usual = attendee.answer if attendee else Answer.NEEDS_ACTION.value
    differs = differences or Differences()
    date = None if _is_back(delivery) else date_of(delivery)
    return Recipient(
        email=delivery.recipient,
        name=delivery.recipient_name,
        answer=differs.answers.get(date, usual) if date is not None else usual,
        role=attendee.role if attendee else Role.REQUIRED.value,
        organiser_address=_answers_to(delivery, attendee),
        absent=differs.absent,
        answers=differs.answers,
    )


def _as_known(delivery: Delivery, occurrence: Occurrence) -> Occurrence:
    """What a CANCEL takes away, at the hour that its reader knows: a move whose letter never left is none to them."""
    before = delivery.before
    if delivery.method != Method.CANCEL or not {"starts_at", "ends_at"} <= before.keys():
        return occurrence
    known = copy(occurrence)
    known.starts_at, known.ends_at = (dt.datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    return known


def _is_back(delivery: Delivery) -> bool:
    """Invited again to one date of a series that they attend: their calendar holds that date as excluded (EXDATE).

    Some let an EXDATE win over a date of its own: they get the whole series, in which nothing is excluded any more.
    """
    return (
        delivery.recurrence_id is not None
        and delivery.method == Method.REQUEST
        and delivery.reason == DeliveryReason.INVITED
        and delivery.attendee is not None
        and delivery.attendee.only_occurrence_id is None
    )


def _answers_to(delivery: Delivery, attendee: Attendee | None) -> str:
    if attendee is not None:
        return reply_address(attendee)
    # Removed: the row remembers whom it is for.
    gone = delivery.before.get("attendee")
    return address_of(uuid.UUID(gone)) if gone else ""
