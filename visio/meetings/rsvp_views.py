"""The page that an invitation's link opens: read and answer without an account.

GET and HEAD never change anything, whatever the address says: mail scanners follow links (R16). The address holds a secret,
so it must not leave in a Referer. `strict-origin` sends the host alone; `no-referrer` would turn the Origin of the form's
own POST into "null", which the CSRF check rightly refuses, so it is kept for the answers that hold no form.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from visio.meetings import wallclock, words
from visio.meetings.answer_forms import COUNTER, GuestForm, ProposeForm
from visio.meetings.answers import AnswerRefused
from visio.meetings.answers import answer as record_answer
from visio.meetings.counters import CounterRefused
from visio.meetings.counters import propose as propose_time
from visio.meetings.dates import current_occurrence, occurrence_by_key, occurrence_key
from visio.meetings.drafts import DAY_MINUTES
from visio.meetings.exception_models import AttendeeException, CounterProposal, CounterState
from visio.meetings.gone_dates import NoSuchDate
from visio.meetings.models import LONGEST, Answer, AnsweredVia, Attendee, ChangeKind, Meeting, Occurrence, Role, Status
from visio.meetings.permissions import absences
from visio.meetings.repeat_form import kept_words
from visio.meetings.shown_dates import another_date
from visio.meetings.timetable import Timetable
from visio.meetings.tokens import attendee_by_token, guest_join_url
from visio.meetings.views import ics_response
from visio.places.bookings import ACTIVE
from visio.places.models import ResourceBooking, ResourceKind

P = ParamSpec("P")
NAMES_SHOWN = 3
DATES_SHOWN = 6
# How long before the start the join button stands on the page.
JOIN_BEFORE = dt.timedelta(minutes=30)
TOKEN_LENGTH = 100


def secret_address(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Keep the address out of Referer headers, search engines and caches."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.setdefault("Referrer-Policy", "no-referrer")
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return guarded


@login_not_required
@never_cache
@secret_address
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation; a POST records the answer and comes back here."""
    now = timezone.now()
    attendee = attendee_by_token(token, now=now) if len(token) <= TOKEN_LENGTH else None
    if attendee is None:
        return _gone(request, now)
    try:
        shown = _shown(request, attendee, now)
    except NoSuchDate as gone:
        return _gone(request, now) if gone.change is None else _date_gone(request, gone, token, now)
    if request.method != "POST":
        return _page(request, shown, token)
    form = GuestForm(request.POST)
    propose = _propose_form(request, shown) if form["answer"].value() == COUNTER else None
    if not form.is_valid() or (propose is not None and not propose.is_valid()):
        return _page(request, shown, token, form=form, propose=propose, status=422)
    only = shown.occurrence if attendee.is_series and form.cleaned_data["about"] == "date" else None
    try:
        if propose is not None and propose.span is not None:
            propose_time(
                attendee=attendee,
                occurrence=only,
                starts_at=propose.span[0],
                ends_at=propose.span[1],
                comment=form.cleaned_data["comment"],
                via=AnsweredVia.PAGE,
                revision=form.cleaned_data["revision"],
                now=now,
            )
        else:
            record_answer(
                attendee=attendee,
                answer=form.cleaned_data["answer"],
                comment=form.cleaned_data["comment"],
                via=AnsweredVia.PAGE,
                now=now,
                revision=form.cleaned_data["revision"],
                occurrence=only,
            )
    except (AnswerRefused, CounterRefused) as refused:
        return _page(request, shown, token, form=form, propose=propose, refused=refused.message, status=409)
    asked = {"merci": "2" if propose is not None else "1"}
    asked |= {"date": shown.key} if shown.key else {}
    asked |= {"pour": form.cleaned_data["about"]} if attendee.is_series else {}
    asked |= {"fuseau": shown.zone} if "fuseau" in request.GET else {}
    return redirect(f"{reverse('rsvp:page', args=[token])}?{urlencode(asked, safe='/')}")


@login_not_required
@never_cache
@secret_address
@require_safe
def ics(request: HttpRequest, token: str) -> HttpResponse:
    """The event as a file, for whoever holds the link; a guest of one date gets that date and none of the others."""
    now = timezone.now()
    attendee = attendee_by_token(token, now=now) if len(token) <= TOKEN_LENGTH else None
    if attendee is None or attendee.meeting.is_cancelled:
        return _gone(request, now)
    meeting, key = attendee.meeting, request.GET.get("date", "")[:40]
    link = guest_join_url(attendee) if meeting.room_id else ""
    if attendee.only_occurrence is not None or not meeting.is_series:
        return ics_response(meeting, attendee.only_occurrence, join_url=link)
    absent = absences(meeting.attendees.filter(pk=attendee.pk))
    date = occurrence_by_key(meeting, key) if key else None
    if key and (date is None or date.pk in absent):
        return _gone(request, now)
    return ics_response(meeting, date, join_url=link, absent=absent.values())


def _gone(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Unknown, revoked or expired: the same page, which gives nothing away."""
    return render(request, "visio/meetings/rsvp_unknown.html", {"now": now}, status=404)


@dataclass(frozen=True)
class Shown:
    """What the link opens: the invitation, at one date. `key`: of the date that the address names, "" for none."""

    attendee: Attendee
    occurrence: Occurrence
    exception: AttendeeException | None
    key: str
    zone: str
    now: dt.datetime

    @property
    def is_cancelled(self) -> bool:
        return self.attendee.meeting.is_cancelled or self.occurrence.status == Status.CANCELLED

    @property
    def is_over(self) -> bool:
        return self.occurrence.ends_at <= self.now

    @property
    def is_left_out(self) -> bool:
        return self.exception is not None and self.exception.removed

    def text(self, name: str) -> str:
        if self.is_left_out:
            # What that date is about is not this guest's business.
            return self.attendee.meeting.title if name == "title" else ""
        own = getattr(self.occurrence, name) if self.is_one_date else None
        return str(getattr(self.attendee.meeting, name) if own is None else own)

    @property
    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """The hours; to who was left out of the date those that the series says, whatever it became."""
        meeting, occurrence = self.attendee.meeting, self.occurrence
        at = occurrence.recurrence_id
        if not self.is_left_out or at is None:
            return occurrence.starts_at, occurrence.ends_at
        table = Timetable.of_meeting(meeting)
        return at, table.end_of(table.literal(table.wall_of(at)))

    @property
    def is_one_date(self) -> bool:
        return bool(self.key) or self.attendee.only_occurrence_id is not None


def _shown(request: HttpRequest, attendee: Attendee, now: dt.datetime) -> Shown:
    """Raises NoSuchDate when the address names a date that the meeting has not."""
    meeting, key = attendee.meeting, ""
    if attendee.only_occurrence is not None:
        occurrence = attendee.only_occurrence
        occurrence.meeting = meeting
    elif meeting.is_series and request.GET.get("date"):
        key = request.GET["date"][:40]
        found = occurrence_by_key(meeting, key)
        if found is None:
            raise NoSuchDate(meeting, key)
        occurrence = found
    else:
        occurrence = current_occurrence(meeting, now)
    exception = _exception(attendee, occurrence)
    if exception is not None and exception.removed and not key:
        another = another_date(attendee, now)
        if another is not None:
            occurrence = another[0]
            occurrence.meeting = meeting
            exception = _exception(attendee, occurrence)
    zone = meeting.time_zone if meeting.is_all_day else _zone(request, attendee)
    return Shown(attendee, occurrence, exception, key, zone, now)


def _exception(attendee: Attendee, occurrence: Occurrence) -> AttendeeException | None:
    if not attendee.is_series:
        return None
    return AttendeeException.objects.filter(attendee=attendee, occurrence=occurrence).first()


def _date_gone(request: HttpRequest, gone: NoSuchDate, token: str, now: dt.datetime) -> HttpResponse:
    """A date that was cancelled, or moved to another series, with those that followed."""
    meeting = gone.meeting
    context = {"now": now, "meeting": meeting, "at": gone.at, "zone": meeting.time_zone, "token": token}
    context["is_moved"] = gone.moved_to is not None
    return render(request, "visio/meetings/rsvp_no_date.html", context, status=410)


def _page(
    request: HttpRequest,
    shown: Shown,
    token: str,
    *,
    form: GuestForm | None = None,
    propose: ProposeForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    attendee, occurrence, zone, now = shown.attendee, shown.occurrence, shown.zone, shown.now
    meeting = attendee.meeting
    starts_at, ends_at = shown.span
    over = shown.is_over
    if (shown.is_cancelled or over) and status == 200:
        # There is nothing to answer any more; the page says so and stays readable.
        status = 410
    about = _about(request, shown, form)
    own = shown.exception if about == "date" and shown.exception and shown.exception.answer is not None else None
    given, comment = (own.answer, own.comment) if own else (attendee.answer, attendee.comment)
    chosen = _chosen(request, str(given), form)
    is_open = not over and not shown.is_cancelled and attendee.role != Role.CHAIR and not shown.is_left_out
    is_invited = not shown.is_cancelled and not shown.is_left_out
    context: dict[str, Any] = {
        "now": now,
        "attendee": attendee,
        "meeting": meeting,
        "occurrence": Occurrence(meeting=meeting, starts_at=starts_at, ends_at=ends_at)
        if shown.is_left_out
        else occurrence,
        "title": shown.text("title"),
        "place": shown.text("place"),
        "rooms": _rooms(meeting, occurrence) if is_invited else (),
        "description": shown.text("description"),
        "token": token,
        "key": shown.key,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "zone": zone,
        "local_start": words.local(starts_at, zone),
        "other_zone": zone != meeting.time_zone,
        "over": over,
        "is_cancelled": shown.is_cancelled,
        "left_out": shown.is_left_out,
        "open": is_open,
        "form": form,
        "propose": propose,
        "refused": refused,
        "chosen": chosen,
        "given": given,
        "about": about,
        "comment": form["comment"].value() if form is not None else comment,
        "thanks": request.GET.get("merci") == "1" and given != Answer.NEEDS_ACTION,
        "answered": given != Answer.NEEDS_ACTION,
        "join_url": guest_join_url(attendee) if meeting.room_id and is_invited and not over else "",
        "join_now": starts_at - JOIN_BEFORE <= now < ends_at,
        "counter": _own_counter(shown, about) if is_open else None,
        **_series(shown, token),
        **_others(attendee),
        **_moved(shown, given != Answer.NEEDS_ACTION, (own or attendee).answered_revision),
    }
    response = render(request, "visio/meetings/rsvp.html", context, status=status)
    response["Referrer-Policy"] = "strict-origin"
    return response


def _rooms(meeting: Meeting, occurrence: Occurrence) -> list[ResourceBooking]:
    """The physical rooms of that date, taken or still to be approved."""
    rows = ResourceBooking.objects.filter(
        occurrence=occurrence, meeting=meeting, resource__kind=ResourceKind.ROOM, status__in=ACTIVE
    )
    return list(rows.select_related("resource").order_by("resource__name", "pk"))


def _about(request: HttpRequest, shown: Shown, form: GuestForm | None) -> str:
    """ "date" or "all": what the answer is about, of a series."""
    if not shown.attendee.is_series:
        return "all"
    asked = form["about"].value() if form is not None else request.GET.get("pour", "")
    return str(asked) if asked in ("date", "all") else "date" if shown.key else "all"


def _chosen(request: HttpRequest, given: str, form: GuestForm | None) -> str:
    """The answer that is marked: what was posted, what the e-mail's button said (nothing is saved), what was answered."""
    wanted = form["answer"].value() if form is not None else request.GET.get("reponse", "")
    if wanted in (Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED, COUNTER):
        return str(wanted)
    return given


def _propose_form(request: HttpRequest, shown: Shown) -> ProposeForm:
    meeting = shown.attendee.meeting
    days = meeting.minutes // DAY_MINUTES if meeting.is_all_day else 0
    return ProposeForm(request.POST, zone=shown.zone, now=shown.now, days=days)


def _own_counter(shown: Shown, about: str) -> CounterProposal | None:
    """The other time that this guest proposed, while nobody has decided."""
    is_date = shown.attendee.meeting.is_series and (about == "date" or shown.attendee.only_occurrence_id is not None)
    date = shown.occurrence if is_date else None
    return shown.attendee.counters.filter(state=CounterState.PENDING, occurrence=date).first()


def _series(shown: Shown, token: str) -> dict[str, Any]:
    """The rule, and the next dates with their addresses; nothing for a one-off or a guest of one date."""
    meeting = shown.attendee.meeting
    if not shown.attendee.is_series:
        return {"rule": "", "dates": []}
    away = AttendeeException.objects.filter(attendee=shown.attendee, removed=True).values("occurrence")
    coming = meeting.occurrences.filter(starts_at__gt=shown.now - LONGEST, ends_at__gt=shown.now).exclude(pk__in=away)
    dates = [(one, occurrence_key(one)) for one in coming.order_by("starts_at")[:DATES_SHOWN]]
    return {"rule": kept_words(meeting), "dates": dates}


def _others(attendee: Attendee) -> dict[str, Any]:
    people = attendee.meeting.attendees.exclude(pk=attendee.pk)
    some = list(people.exclude(role=Role.CHAIR).select_related("agent").order_by("pk")[:NAMES_SHOWN])
    return {"people": attendee.meeting.attendees.count(), "some": [person.display_name for person in some]}


def _moved(shown: Shown, answered: bool, revision: int | None) -> dict[str, Any]:
    """The hour before the last move, when this person may still have the earlier one in mind."""
    meeting, occurrence, zone = shown.attendee.meeting, shown.occurrence, shown.zone
    moves = meeting.changes.filter(kind=ChangeKind.MOVED)
    if meeting.is_series:
        # A move of the whole series changed another date's hours, unless it is told as a date's own.
        at = occurrence.recurrence_id.isoformat() if occurrence.recurrence_id else ""
        moves = moves.filter(details__date=at) if shown.is_one_date else moves.exclude(details__has_key="date")
    change = None if shown.is_left_out else moves.first()
    if change is None or (answered and (revision or 0) >= change.revision):
        return {"moved_from": "", "moved_at": None, "answered_before": False}
    before = change.details["before"]
    old_start, old_end = dt.datetime.fromisoformat(before["starts_at"]), dt.datetime.fromisoformat(before["ends_at"])
    old, new = words.local(old_start, zone), words.local(occurrence.starts_at, zone)
    if meeting.is_all_day:
        hours = words.short_day(old.date(), today=new.date())
    else:
        hours = words.hours(old_start, old_end, zone)
        if old.date() != new.date():
            hours = _("%(day)s, %(hours)s") % {"day": words.short_day(old.date(), today=new.date()), "hours": hours}
    return {"moved_from": hours, "moved_at": change.at, "answered_before": revision is not None}


def _zone(request: HttpRequest, attendee: Attendee) -> str:
    """?fuseau=Indian/Reunion, else the agent's own zone, else the meeting's."""
    asked = request.GET.get("fuseau", "")
    try:
        return wallclock.zone(asked).key
    except (wallclock.UnknownZone, zoneinfo.ZoneInfoNotFoundError):
        # Nothing was asked, or no such place: fall back on what we know.
        return attendee.agent.time_zone if attendee.agent else attendee.meeting.time_zone
