"""A message arrives: it is kept, judged and, when it may count, acted on; all of it in one transaction, once.

The bytes are the identity: a sender that did not hear our 250 sends them again, and gets the row that is there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import translation

from suite.core.events import publish
from suite.core.plain import one_line
from visio.events import DeliveriesProgressed, ReplyReceived
from visio.inbox import verdicts
from visio.inbox.models import InboundMessage, Verdict
from visio.inbox.parsing import Bounce, Mail, Person, Reply, read
from visio.inbox.refreshing import owe_refresh
from visio.inbox.verdicts import Refused
from visio.inbox.words import reason_words
from visio.meetings.acts import locked
from visio.meetings.answers import AnswerRefused, answer, lock_gently
from visio.meetings.counters import CounterRefused, propose
from visio.meetings.exception_models import AttendeeException
from visio.meetings.letters import message_id
from visio.meetings.models import Answer, AnsweredVia, Attendee, Delivery, DeliveryState, Meeting, Occurrence
from visio.meetings.reply_addresses import public_id_by_reply_address

_ADDRESS_LENGTH = 320
_WORDS_LENGTH = 500
# Bounces are matched among the last mails to the person.
_MAILS_LOOKED_AT = 100
# Of one attendee within a day: who can write to an address must not fill the disk.
MOST_A_DAY = 100
# Seconds that one message may wait for an edit under way, and that any of its statements may take.
_PATIENCE = 20
_ANSWERS = {
    "ACCEPTED": Answer.ACCEPTED,
    "TENTATIVE": Answer.TENTATIVE,
    "DECLINED": Answer.DECLINED,
    # Somebody else shall come in their place: that is for the organiser to decide.
    "DELEGATED": Answer.TENTATIVE,
}


class TooManyMessages(Exception):
    """This address had its share of today: the sender shall try again later."""


@dataclass(frozen=True)
class _Outcome:
    verdict: Verdict
    words: str = ""
    reply: Reply | None = None
    date: Occurrence | None = None
    answer: str = ""


def receive(*, envelope_from: str, envelope_to: str, raw: bytes, now: dt.datetime) -> InboundMessage:
    """Keep the message and do what it asks; the row, which was there already when these bytes came before.

    `envelope_to` is one of our reply addresses (visio.meetings.reply_addresses). Raises TooManyMessages, and what the database
    raises; then nothing is kept.
    """
    public_id = public_id_by_reply_address(envelope_to)
    if public_id is None:
        raise ValueError("not a reply address")
    mail = read(raw)
    digest = hashlib.sha256(b"%s\0%s" % (public_id.hex.encode(), raw)).hexdigest()
    with transaction.atomic():
        _bound_the_wait()
        meeting, attendee = _lock(public_id, mail)
        _alone(digest)
        known = InboundMessage.objects.filter(digest=digest).first()
        if known is not None:
            return known
        _check_share(meeting, attendee, envelope_to, now)
        with translation.override(meeting.organiser.language if meeting else None):
            outcomes = _judge(mail, meeting, attendee, envelope_from, now)
            row = _keep(mail, meeting, attendee, outcomes)
        row.digest, row.raw, row.received_at = digest, raw, now
        row.envelope_from = one_line(envelope_from)[:_ADDRESS_LENGTH]
        row.envelope_to = one_line(envelope_to)[:_ADDRESS_LENGTH]
        row.save()
        if meeting is not None:
            publish(ReplyReceived(meeting_id=meeting.pk))
    return row


def _bound_the_wait() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
            [f"{_PATIENCE}s", f"{_PATIENCE}s"],
        )


def _lock(public_id: uuid.UUID, mail: Mail) -> tuple[Meeting | None, Attendee | None]:
    """The meeting's row first, always; then the attendee's, so that two answers of one person are taken one by one."""
    meeting_id = Attendee.objects.filter(public_id=public_id).values_list("meeting_id", flat=True).first()
    if meeting_id is None:
        # Taken off the list since: the message names the meeting.
        uids = {reply.uid for reply in mail.replies}
        found = Meeting.objects.filter(uid__in=uids).select_related("organiser", "room").order_by("pk")
        return found.first(), None
    if all(reply.method == "REPLY" for reply in mail.replies) and mail.bounce is None:
        lock_gently(meeting_id)
        meeting = Meeting.objects.select_related("organiser", "room").get(pk=meeting_id)
    else:
        # Proposals and refreshes write what an edit writes.
        meeting = locked(Meeting(pk=meeting_id))
    attendees = Attendee.objects.select_for_update(of=("self",)).select_related("agent", "only_occurrence")
    attendee = attendees.filter(public_id=public_id).first()
    if attendee is not None:
        attendee.meeting = meeting
    return meeting, attendee


def _alone(digest: str) -> None:
    """The same bytes on two connections at once: the second waits here and finds the first one's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(digest[:15], 16)])


def _check_share(meeting: Meeting | None, attendee: Attendee | None, envelope_to: str, now: dt.datetime) -> None:
    today = InboundMessage.objects.filter(meeting=meeting, received_at__gt=now - dt.timedelta(days=1))
    mine = today.filter(attendee=attendee) if attendee is not None else today.filter(envelope_to=envelope_to)
    if mine.count() >= MOST_A_DAY:
        raise TooManyMessages


def _judge(
    mail: Mail, meeting: Meeting | None, attendee: Attendee | None, envelope_from: str, now: dt.datetime
) -> list[_Outcome]:
    """One outcome for each VEVENT; one for a message without any."""
    if attendee is None or meeting is None:
        if meeting is None or not mail.replies:
            return [_Outcome(Verdict.UNKNOWN, reason_words("uid"))]
        return [_Outcome(Verdict.CRASHER, reason_words("removed", name=mail.sender), mail.replies[0])]
    if mail.bounce is not None:
        return [_note_bounce(mail.bounce, attendee, envelope_from)]
    if mail.problem:
        verdict = Verdict.REFUSED if mail.problem == "automatic" else Verdict.MALFORMED
        return [_Outcome(verdict, reason_words(mail.problem))]
    return [_judge_one(mail, reply, meeting, attendee, envelope_from, now) for reply in mail.replies]


def _judge_one(
    mail: Mail, reply: Reply, meeting: Meeting, attendee: Attendee, envelope_from: str, now: dt.datetime
) -> _Outcome:
    given = _ANSWERS.get(reply.people[0].partstat, "") if reply.method == "REPLY" else ""
    date = None
    try:
        verdicts.check_server(mail)
        person = verdicts.check_sender(mail, reply, attendee)
        if reply.uid != meeting.uid:
            raise Refused(Verdict.UNKNOWN, "uid")
        date = verdicts.date_of(reply, meeting, attendee)
        match reply.method:
            case "REPLY":
                words = _answer(reply, person, meeting, attendee, date, now)
            case "COUNTER":
                words = _counter(reply, meeting, attendee, date, now)
            case _ if _is_null(envelope_from):
                # What has no sender is never answered (RFC 5321 §4.5.5).
                raise Refused(Verdict.REFUSED, "automatic")
            case _:
                words = _refresh(meeting, attendee, date, now)
    except Refused as refused:
        words = reason_words(refused.reason, name=refused.name)
        return _Outcome(refused.verdict, words, reply, date, given)
    except (AnswerRefused, CounterRefused) as refusal:
        return _Outcome(Verdict.REFUSED, reason_words(refusal.reason, name=mail.sender), reply, date, given)
    return _Outcome(Verdict.APPLIED, words, reply, date, given)


def _answer(
    reply: Reply, person: Person, meeting: Meeting, attendee: Attendee, date: Occurrence | None, now: dt.datetime
) -> str:
    order = verdicts.check_order(reply, meeting, attendee, date, now)
    if person.partstat not in _ANSWERS:
        raise Refused(Verdict.REFUSED, "no_answer")
    seen = verdicts.version_seen(reply, meeting, attendee, date)
    if not seen.is_earlier:
        answer(
            attendee=attendee,
            answer=_ANSWERS[person.partstat],
            comment=reply.comment,
            via=AnsweredVia.EMAIL,
            now=now,
            revision=seen.revision,
            occurrence=date,
        )
    _remember_last(order, attendee, date)
    if seen.is_earlier:
        raise Refused(Verdict.EARLIER, "earlier")
    return reason_words("delegated", name=", ".join(person.delegated_to)) if person.partstat == "DELEGATED" else ""


def _counter(reply: Reply, meeting: Meeting, attendee: Attendee, date: Occurrence | None, now: dt.datetime) -> str:
    if reply.starts is None:
        raise Refused(Verdict.MALFORMED, "times")
    order = verdicts.check_order(reply, meeting, attendee, date, now)
    seen = verdicts.version_seen(reply, meeting, attendee, date)
    if seen.is_earlier:
        raise Refused(Verdict.EARLIER, "earlier")
    starts_at = verdicts.instant(reply.starts, meeting)
    if reply.ends is not None:
        ends_at = verdicts.instant(reply.ends, meeting)
    else:
        ends_at = starts_at + dt.timedelta(minutes=meeting.minutes)
    propose(
        attendee=attendee,
        occurrence=date,
        starts_at=starts_at,
        ends_at=ends_at,
        comment=reply.comment,
        via=AnsweredVia.EMAIL,
        revision=seen.revision,
        now=now,
    )
    _remember_last(order, attendee, date)
    return ""


def _remember_last(order: tuple[int, dt.datetime], attendee: Attendee, date: Occurrence | None) -> None:
    last = {"reply_sequence": order[0], "reply_stamp": order[1]}
    if verdicts.is_apart(attendee, date):
        AttendeeException.objects.update_or_create(occurrence=date, attendee=attendee, defaults=last)
    else:
        Attendee.objects.filter(pk=attendee.pk).update(**last)
        # Another date of the same message may be about the same row.
        attendee.reply_sequence, attendee.reply_stamp = order


def _refresh(meeting: Meeting, attendee: Attendee, date: Occurrence | None, now: dt.datetime) -> str:
    if not owe_refresh(meeting=meeting, attendee=attendee, date=date, now=now):
        raise Refused(Verdict.REFUSED, "too_often")
    return ""


def _note_bounce(bounce: Bounce, attendee: Attendee, envelope_from: str) -> _Outcome:
    """Our mail did not arrive after all: its row says so, in the far server's words. Nothing else follows, least of all mail."""
    if not bounce.is_permanent:
        return _Outcome(Verdict.REFUSED, reason_words("delayed" if bounce.action == "delayed" else "notice"))
    # A notice has no sender (RFC 3464 §2): what has one was written by somebody.
    if _is_null(envelope_from):
        for row in attendee.deliveries.filter(state=DeliveryState.SENT).order_by("-pk")[:_MAILS_LOOKED_AT]:
            if _is_about(bounce, row):
                row.state, row.server_words = DeliveryState.FAILED, bounce.words[:_WORDS_LENGTH]
                row.save(update_fields=["state", "server_words"])
                publish(DeliveriesProgressed(meeting_id=row.meeting_id))
                return _Outcome(Verdict.APPLIED, reason_words("bounced"))
    return _Outcome(Verdict.REFUSED, reason_words("bounce"))


def _is_about(bounce: Bounce, row: Delivery) -> bool:
    if bounce.message_id:
        return message_id(row) == bounce.message_id
    # Nothing of the message came back: the last one to that address.
    return row.recipient.lower() in bounce.recipients


def _is_null(envelope_from: str) -> bool:
    return envelope_from in {"", "<>"}


def _keep(
    mail: Mail, meeting: Meeting | None, attendee: Attendee | None, outcomes: Sequence[_Outcome]
) -> InboundMessage:
    """The row, unsaved: of several outcomes the first that did not count is told, with the words of all."""
    told = next((one for one in outcomes if one.verdict != Verdict.APPLIED), outcomes[0])
    reply = told.reply or (mail.replies[0] if mail.replies else None)
    row = InboundMessage(
        sender=mail.sender,
        subject=mail.subject,
        message_id=mail.message_id,
        meeting=meeting,
        attendee=attendee,
        verdict=told.verdict,
        words=" ".join(dict.fromkeys(one.words for one in outcomes if one.words))[:_WORDS_LENGTH],
        answer=told.answer,
    )
    if reply is not None:
        row.method, row.uid = reply.method, reply.uid
        row.sequence, row.stamp = reply.sequence, reply.stamp
        row.recurrence_id = told.date.recurrence_id if told.date is not None else None
    return row
