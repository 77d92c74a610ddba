"""From a row of the ledger to an e-mail.

What a thousand invitations share (texts, calendar) is rendered once per language, zone and kind of reader; each letter then
fills in its reader's own links. The shared text holds random markers where the links go, which nothing typed can imitate.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.template.loader import get_template
from django.utils import formats, translation
from django.utils.html import escape
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from suite.core.plain import one_line
from suite.mail.message import OutgoingMail
from visio.meetings import tokens, words
from visio.meetings.ical import CalendarText, Recipient
from visio.meetings.models import Answer, Attendee, Delivery, DeliveryReason, Meeting, Method, Occurrence, Role
from visio.meetings.zones import zone_where

_NAMED = 3


@dataclass(frozen=True)
class _Fact:
    label: str
    text: str = ""
    was: str = ""
    url: str = ""
    url_words: str = ""


@dataclass(frozen=True)
class _Button:
    words: str
    url: str


@dataclass(frozen=True)
class _Shared:
    """What every reader of one language, zone and kind gets, markers in place of their links."""

    subject: str
    sender_name: str
    text: str
    html: str
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
    """Prints letters; keep one for a batch. The meetings behind the rows must not change in the meantime."""

    def __init__(self) -> None:
        mark = secrets.token_hex(8)
        self._rsvp, self._join, self._who = f"zr{mark}", f"zj{mark}", f"zw{mark}"
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._calendars: dict[tuple[object, ...], CalendarText] = {}
        self._people: dict[int, _People] = {}
        # EMAIL_FROM may carry a display name; ours says who invites.
        self._sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        self._html = get_template("mail/invitation.html")
        self._text = get_template("mail/invitation.txt")

    def letter(self, delivery: Delivery, *, occurrence: Occurrence, now: dt.datetime) -> OutgoingMail:
        """The e-mail that `delivery` owes. Its meeting (with organiser, organisation, room), attendee and agent are read."""
        meeting, attendee = delivery.meeting, delivery.attendee
        agent = attendee.agent if attendee else None
        zone = agent.time_zone if agent else settings.TIME_ZONE
        rsvp = join = ""
        if attendee is not None and delivery.method == Method.REQUEST:
            rsvp = tokens.rsvp_url(attendee)
            if meeting.room is not None:
                join = tokens.join_url(meeting) if agent else f"{rsvp}{tokens.GUEST_JOIN}"
        shared = self._shared_for(delivery, occurrence, zone=zone, is_agent=agent is not None)
        calendar = shared.calendar.render(recipient=_recipient(delivery, attendee), join_url=join, stamp=now)
        texts = {self._rsvp: rsvp, self._join: join, self._who: delivery.recipient}
        text, html = shared.text, shared.html
        for marker, value in texts.items():
            text = text.replace(marker, value)
            html = html.replace(marker, escape(value))
        return OutgoingMail(
            message_id=message_id(delivery),
            date=now,
            sender=self._sender,
            sender_name=shared.sender_name,
            recipient=delivery.recipient,
            recipient_name=delivery.recipient_name,
            reply_to=meeting.organiser.email,
            reply_to_name=meeting.organiser.full_name,
            subject=shared.subject,
            text=text,
            html=html,
            calendar=calendar,
            method=delivery.method,
        )

    def _shared_for(self, delivery: Delivery, occurrence: Occurrence, *, zone: str, is_agent: bool) -> _Shared:
        before = json.dumps(delivery.before, sort_keys=True)
        key = (delivery.meeting_id, delivery.sequence, delivery.revision, delivery.method, delivery.reason)
        shared = self._shared.get((*key, delivery.language, zone, is_agent, before))
        if shared is None:
            with translation.override(delivery.language):
                shared = self._render_shared(delivery, occurrence, zone=zone, is_agent=is_agent)
            self._shared[(*key, delivery.language, zone, is_agent, before)] = shared
        return shared

    def _render_shared(self, delivery: Delivery, occurrence: Occurrence, *, zone: str, is_agent: bool) -> _Shared:
        meeting = delivery.meeting
        subject = _subject(delivery, occurrence, zone)
        context = {
            "language": delivery.language,
            "subject": subject,
            "title": one_line(meeting.title),
            "is_invitation": delivery.reason == DeliveryReason.INVITED,
            "is_cancel": delivery.method == Method.CANCEL,
            "kicker": _kicker(delivery),
            "lead": _lead(delivery),
            "was": _was(delivery),
            "when": _when(occurrence.starts_at, occurrence.ends_at, meeting.time_zone),
            "when_note": _when_note(delivery, occurrence),
            "elsewhere": _elsewhere(meeting, occurrence, zone),
            "question": _question(delivery),
            "buttons": self._buttons(),
            "facts": self._facts(delivery, is_agent=is_agent),
            "version": _version(delivery, zone),
            "personal": _("Cette invitation est personnelle, pour %(who)s : ne la transférez pas.") % {"who": self._who}
            if delivery.method == Method.REQUEST
            else "",
            "privacy_url": f"{settings.PORTAL_URL}/donnees-personnelles/",
        }
        calendar_key = (meeting.pk, delivery.sequence, delivery.method, delivery.language)
        if calendar_key not in self._calendars:
            self._calendars[calendar_key] = CalendarText(
                meeting=meeting, occurrence=occurrence, method=delivery.method, sequence=delivery.sequence
            )
        return _Shared(
            subject=subject,
            sender_name=_("%(name)s via Visio") % {"name": meeting.organiser.full_name},
            text=self._text.render(context),
            html=self._html.render(context),
            calendar=self._calendars[calendar_key],
        )

    def _buttons(self) -> list[_Button]:
        return [
            _Button(label, f"{self._rsvp}?reponse={answer}")
            for label, answer in (
                (_("Accepter"), Answer.ACCEPTED),
                (_("Peut-être"), Answer.TENTATIVE),
                (_("Décliner"), Answer.DECLINED),
            )
        ]

    def _facts(self, delivery: Delivery, *, is_agent: bool) -> list[_Fact]:
        meeting, before = delivery.meeting, delivery.before
        can_join = meeting.room is not None and delivery.method == Method.REQUEST
        facts = []
        title = one_line(meeting.title)
        if before.get("title", title) != title:
            facts.append(_Fact(_("Titre"), text=title, was=before["title"]))
        place = one_line(meeting.place)
        old_place = before.get("place", place)
        if place or can_join or old_place:
            url_words = tokens.join_url(meeting).split("://")[-1].rstrip("/") if is_agent else _("Rejoindre la visio")
            facts.append(
                _Fact(
                    _("Lieu"),
                    text=place,
                    was=old_place if old_place != place else "",
                    url=self._join if can_join else "",
                    url_words=url_words,
                )
            )
        if meeting.description and delivery.method == Method.REQUEST:
            facts.append(_Fact(_("Ordre du jour"), text=meeting.description))
        unchanged = _unchanged(delivery)
        if unchanged:
            facts.append(_Fact(_("Inchangé"), text=unchanged))
        if delivery.method == Method.REQUEST:
            facts.append(_Fact(_("Participants"), text=self._people_words(meeting)))
        return facts

    def _people_words(self, meeting: Meeting) -> str:
        people = self._people.get(meeting.pk)
        if people is None:
            guests = Attendee.objects.filter(meeting=meeting).exclude(role=Role.CHAIR)
            names = tuple(one_line(a.display_name) for a in guests.select_related("agent").order_by("pk")[:_NAMED])
            people = _People(names=names, others=max(0, guests.count() - len(names)))
            self._people[meeting.pk] = people
        organiser = _("%(name)s (organisateur)") % {"name": meeting.organiser.full_name}
        named = [organiser, *people.names]
        if not people.others:
            return get_text_list(named, _("et"))
        others = ngettext("%(count)d autre", "%(count)d autres", people.others) % {"count": people.others}
        return get_text_list([", ".join(named), others], _("et"))


def _recipient(delivery: Delivery, attendee: Attendee | None) -> Recipient:
    return Recipient(
        email=delivery.recipient,
        name=delivery.recipient_name,
        answer=attendee.answer if attendee else Answer.NEEDS_ACTION,
        role=attendee.role if attendee else Role.REQUIRED,
    )


def _when(starts_at: dt.datetime, ends_at: dt.datetime, zone: str) -> str:
    day = words.full_day(words.local(starts_at, zone).date())
    # "14:00 – 15:00" never breaks over two lines.
    return f"{day}, {words.hours(starts_at, ends_at, zone).replace(' ', chr(0xA0))}"


def _subject(delivery: Delivery, occurrence: Occurrence, zone: str) -> str:
    meeting = delivery.meeting
    patterns = {
        DeliveryReason.INVITED: _("Invitation : %(title)s, %(when)s"),
        DeliveryReason.MOVED: _("Modifié : %(title)s, %(when)s"),
        DeliveryReason.CHANGED: _("Modifié : %(title)s, %(when)s"),
        DeliveryReason.CANCELLED: _("Annulé : %(title)s, %(when)s"),
        DeliveryReason.REMOVED: _("Annulé : %(title)s, %(when)s"),
    }
    start = words.local(occurrence.starts_at, meeting.time_zone)
    when = f"{words.short_day(start.date(), today=meeting.changed_at.date())} {start:%H:%M}"
    if not _same_clock(meeting.time_zone, zone, occurrence):
        when = f"{when} {zone_where(meeting.time_zone)}"
    return patterns[DeliveryReason(delivery.reason)] % {"title": one_line(meeting.title), "when": when}


def _same_clock(one: str, other: str, occurrence: Occurrence) -> bool:
    return all(
        words.local(at, one).utcoffset() == words.local(at, other).utcoffset()
        for at in (occurrence.starts_at, occurrence.ends_at)
    )


def _kicker(delivery: Delivery) -> str:
    return {
        DeliveryReason.INVITED: _("Invitation"),
        DeliveryReason.MOVED: _("Horaire modifié"),
        DeliveryReason.CHANGED: _("Réunion modifiée"),
        DeliveryReason.CANCELLED: _("Réunion annulée"),
        DeliveryReason.REMOVED: _("Invitation retirée"),
    }[DeliveryReason(delivery.reason)]


def _lead(delivery: Delivery) -> str:
    meeting = delivery.meeting
    pattern = {
        DeliveryReason.INVITED: _("%(name)s (%(organisation)s) vous invite à une réunion en Visio.")
        if meeting.room
        else _("%(name)s (%(organisation)s) vous invite à une réunion."),
        DeliveryReason.MOVED: _("%(name)s a déplacé cette réunion. Votre réponse précédente ne compte plus."),
        DeliveryReason.CHANGED: _("%(name)s a modifié cette réunion. Votre réponse reste valable."),
        DeliveryReason.CANCELLED: _("%(name)s a annulé cette réunion. Elle n’aura pas lieu."),
        DeliveryReason.REMOVED: _("%(name)s a modifié la liste : votre présence n’est plus attendue à cette réunion."),
    }[DeliveryReason(delivery.reason)]
    return pattern % {"name": meeting.organiser.full_name, "organisation": meeting.organiser.organisation.name}


def _question(delivery: Delivery) -> str:
    """Above the buttons; "" when nothing is asked: a CANCEL has no buttons (R10)."""
    return {
        DeliveryReason.INVITED: _("Participerez-vous ?"),
        DeliveryReason.MOVED: _("Participerez-vous au nouvel horaire ?"),
        DeliveryReason.CHANGED: _("Changer votre réponse ?"),
    }.get(DeliveryReason(delivery.reason), "")


def _was(delivery: Delivery) -> str:
    if delivery.reason != DeliveryReason.MOVED:
        return ""
    before = delivery.before
    starts_at, ends_at = (dt.datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    said = _when(starts_at, ends_at, before["time_zone"])
    if before["time_zone"] != delivery.meeting.time_zone:
        said = f"{said} {zone_where(before['time_zone'])}"
    return said


def _when_note(delivery: Delivery, occurrence: Occurrence) -> str:
    meeting = delivery.meeting
    minutes = round((occurrence.ends_at - occurrence.starts_at).total_seconds() / 60)
    where = zone_where(meeting.time_zone)
    pattern = _("Heure locale %(where)s, durée %(duration)s")
    if delivery.reason == DeliveryReason.MOVED:
        starts_at, ends_at = (dt.datetime.fromisoformat(delivery.before[name]) for name in ("starts_at", "ends_at"))
        if ends_at - starts_at == occurrence.ends_at - occurrence.starts_at:
            pattern = _("Heure locale %(where)s, durée inchangée (%(duration)s)")
    return pattern % {"where": where, "duration": words.duration(minutes)}


def _elsewhere(meeting: Meeting, occurrence: Occurrence, zone: str) -> str:
    """The reader's own clock, when it shows something else."""
    if _same_clock(meeting.time_zone, zone, occurrence):
        return ""
    said = _when(occurrence.starts_at, occurrence.ends_at, zone)
    return _("Pour vous, %(where)s : %(when)s") % {"where": zone_where(zone), "when": said}


def _unchanged(delivery: Delivery) -> str:
    """What a moved meeting keeps: only what the row lets us know."""
    meeting, before = delivery.meeting, delivery.before
    if delivery.reason != DeliveryReason.MOVED:
        return ""
    kept = []
    if meeting.room is not None and before.get("room") == meeting.room.slug:
        kept.append(_("le lien Visio"))
    if before.get("title") == meeting.title:
        kept.append(_("le titre"))
    if meeting.place and before.get("place") == meeting.place:
        kept.append(_("le lieu"))
    listed = get_text_list(kept, _("et"))
    return f"{listed[:1].upper()}{listed[1:]}"


def _version(delivery: Delivery, zone: str) -> str:
    meeting = delivery.meeting
    changed = words.local(meeting.changed_at, zone)
    # Translators: Django date format of a day in "Version 3 du 23 novembre, 16:41".
    day = formats.date_format(changed.date(), _("j F"))
    said = _("Version %(version)d du %(day)s, %(hour)s.") % {
        "version": delivery.revision,
        "day": day,
        "hour": f"{changed:%H:%M}",
    }
    effect = {
        DeliveryReason.INVITED: _("Le fichier joint ajoute la réunion à votre agenda."),
        DeliveryReason.MOVED: _("Elle remplace les précédentes dans votre agenda."),
        DeliveryReason.CHANGED: _("Elle remplace les précédentes dans votre agenda."),
        DeliveryReason.CANCELLED: _("Le fichier joint retire la réunion de votre agenda."),
        DeliveryReason.REMOVED: _("Le fichier joint retire la réunion de votre agenda."),
    }[DeliveryReason(delivery.reason)]
    return f"{said} {effect}"
