"""Whether an answer that came by mail may count: who sent it (R15), about which date, and to which version (R6, PROMISES 34).

Nothing here changes a row. The caller holds the meeting's lock.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from suite.agents.delegation import may_act_for
from suite.agents.models import Agent
from suite.core.days import day_words
from visio.inbox.models import Verdict
from visio.inbox.parsing import Mail, Moment, Person, Reply
from visio.meetings import words
from visio.meetings.exception_models import AttendeeException
from visio.meetings.models import AnsweredVia, Attendee, ChangeKind, Meeting, Method, Occurrence


class Refused(Exception):
    """The answer does not count. `.verdict`; `.reason`: a key of visio.inbox.words; `.name`: whom the words name."""

    def __init__(self, verdict: Verdict, reason: str, name: str = "") -> None:
        super().__init__(f"{verdict}: {reason}")
        self.verdict = verdict
        self.reason = reason
        self.name = name


@dataclass(frozen=True)
class Seen:
    """Which version of the meeting the person answered; `is_earlier`: its times have changed since."""

    revision: int
    is_earlier: bool


def check_server(mail: Mail) -> None:
    """What our own mail server found out about the sender's domain (RFC 8601). Raises Refused."""
    trusted = settings.INBOUND_AUTHSERV_ID.lower()
    if trusted and trusted in mail.refused_by:
        raise Refused(Verdict.SPOOFED, "dmarc", mail.sender)


def check_sender(mail: Mail, reply: Reply, attendee: Attendee) -> Person:
    """The ATTENDEE line that counts (R15). Raises Refused.

    The reply address is the attendee's own, From is the attendee, and the answer is the attendee's; or From is the SENT-BY of
    the line, and plans for that agent.
    """
    own = _addresses(attendee)
    mine = next((person for person in reply.people if person.email in own), None)
    if mail.sender in own:
        if mine is None:
            raise _not_theirs(attendee.meeting, reply.people[0].email)
        return mine
    if mine is not None:
        if mine.sent_by and mine.sent_by == mail.sender and _may_answer_for(mail.sender, attendee):
            return mine
        # Somebody else says what the attendee answers.
        raise Refused(Verdict.SPOOFED, "other_sender", mail.sender)
    raise _not_theirs(attendee.meeting, mail.sender or reply.people[0].email)


def date_of(reply: Reply, meeting: Meeting, attendee: Attendee) -> Occurrence | None:
    """The date of the series that the answer is about; None: all of it. Raises Refused."""
    if reply.and_following:
        raise Refused(Verdict.REFUSED, "following", _day(reply.recurrence_id, meeting))
    if reply.recurrence_id is None:
        return attendee.only_occurrence
    if not meeting.is_series:
        raise Refused(Verdict.UNKNOWN, "date")
    at = instant(reply.recurrence_id, meeting)
    found = meeting.occurrences.filter(recurrence_id=at).first()
    if found is None and not isinstance(reply.recurrence_id, dt.datetime) and not meeting.is_all_day:
        # A bare date for a timed series: some programs drop the time.
        following = at + dt.timedelta(days=1)
        same_day = list(meeting.occurrences.filter(recurrence_id__gte=at, recurrence_id__lt=following)[:2])
        found = same_day[0] if len(same_day) == 1 else None
    if found is None:
        raise Refused(Verdict.UNKNOWN, "date")
    found.meeting = meeting
    return found


def _day(moment: Moment | None, meeting: Meeting) -> str:
    """ "mardi 8 décembre 2026", inside a sentence."""
    if moment is None:
        return ""
    day = words.local(instant(moment, meeting), meeting.time_zone).date()
    # Translators: Django date format of a day with its year inside a sentence, as in "mardi 24 novembre 2026".
    return day_words(day, _("l j F Y"))


def instant(moment: Moment, meeting: Meeting) -> dt.datetime:
    """In UTC; a wall clock and a date are the meeting's zone's. Raises Refused when no clock shows it."""
    zone = zoneinfo.ZoneInfo(meeting.time_zone)
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    try:
        return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(dt.UTC)
    except (OverflowError, ValueError) as error:
        raise Refused(Verdict.MALFORMED, "times") from error


def check_order(
    reply: Reply, meeting: Meeting, attendee: Attendee, date: Occurrence | None, now: dt.datetime
) -> tuple[int, dt.datetime]:
    """(SEQUENCE, DTSTAMP) of the answer. Refused when a newer one is known (R6, RFC 5546 §2.1.5)."""
    # A number that was never given out, or a clock that runs ahead, must not make every later answer late.
    order = min(reply.sequence, meeting.sequence), min(reply.stamp or now, now).replace(microsecond=0)
    last: Attendee | AttendeeException | None = attendee
    if is_apart(attendee, date):
        last = AttendeeException.objects.filter(occurrence=date, attendee=attendee).first()
    if last is None:
        return order
    known = last.reply_sequence, last.reply_stamp
    if known[0] is not None and known[1] is not None and order < known:
        raise Refused(Verdict.LATE, "older")
    # What was said on the page or in the portal since then is newer too.
    answered_at = last.answered_at if last.answered_via != AnsweredVia.EMAIL else None
    if answered_at is not None and order[1] < answered_at.replace(microsecond=0):
        raise Refused(Verdict.LATE, "older_than_page")
    return order


def is_apart(attendee: Attendee, date: Occurrence | None) -> bool:
    """Whether this date's answer is kept by itself (AttendeeException) and not in the attendee's row."""
    return date is not None and attendee.is_series and attendee.only_occurrence_id is None


def version_seen(reply: Reply, meeting: Meeting, attendee: Attendee, date: Occurrence | None) -> Seen:
    """Which version the answer is to, by its SEQUENCE; what the person was sent says which that was."""
    about = Q(recurrence_id=None)
    if date is not None:
        about |= Q(recurrence_id=date.recurrence_id)
    sent = meeting.deliveries.filter(
        about, recipient=attendee.email, method=Method.REQUEST, sequence__lte=reply.sequence
    )
    revision = sent.order_by("-revision").values_list("revision", flat=True).first()
    if reply.sequence >= meeting.sequence:
        return Seen(revision or meeting.revision, False)
    revision = revision or 1
    since = meeting.changes.filter(revision__gt=revision)
    moved = since.filter(Q(kind=ChangeKind.MOVED) | Q(kind=ChangeKind.EDITED, details__fields__has_key="rule"))
    of_all = ~Q(details__has_key="date")
    if date is not None and date.recurrence_id is not None:
        of_all |= Q(details__date=date.recurrence_id.isoformat())
    return Seen(revision, moved.filter(of_all).exists())


def _addresses(attendee: Attendee) -> frozenset[str]:
    agent = attendee.agent
    return frozenset({attendee.email.lower()} | ({agent.email.lower()} if agent is not None else set()))


def _may_answer_for(address: str, attendee: Attendee) -> bool:
    """Whether this address is an agent's who plans for the attendee; a guest's domain cannot tell us who does."""
    if attendee.agent is None:
        return False
    delegate = Agent.objects.filter(email__iexact=address, is_active=True).first()
    return delegate is not None and may_act_for(delegate, attendee.agent)


def _not_theirs(meeting: Meeting, address: str) -> Refused:
    """An answer at one attendee's reply address that is somebody else's: another attendee's, or a stranger's."""
    known = Q(email__iexact=address) | Q(agent__email__iexact=address)
    if Attendee.objects.filter(known, meeting=meeting).exists():
        return Refused(Verdict.SPOOFED, "other_attendee", address)
    return Refused(Verdict.CRASHER, "stranger", address)
