"""Two changes before any letter left: one letter, and it names both. Read out of the bytes that arrived."""

import datetime as dt

import pytest

from suite.agents.models import Agent
from tests import factories
from tests.looking import Mailbox
from tests.visio.meetings.planned_series import HOUR, NOW, as_draft, changed, date, owed, series
from tests.visio.meetings.reading import Received, received, send_all
from visio.meetings.invitations import deliver
from visio.meetings.models import Meeting
from visio.meetings.scopes import Scope
from visio.meetings.series import cancel
from visio.meetings.undo import undo

pytestmark = pytest.mark.django_db(transaction=True)
ANNE = "anne@partenaire.example"
SOON = NOW + dt.timedelta(seconds=3)
LATER = NOW + dt.timedelta(minutes=1)


@pytest.fixture
def weekly(mailbox: Mailbox) -> Meeting:
    """Tuesdays at ten in Paris from 24 November on, six times; the invitation has arrived."""
    boss: Agent = factories.agent("Karim", "Benali")
    meeting = series(boss, ANNE)
    send_all(NOW)
    assert len(received(mailbox, ANNE)) == 1
    return meeting


def move(meeting: Meeting, number: int, by: dt.timedelta = HOUR, *, now: dt.datetime = NOW) -> Meeting:
    one = date(meeting, number)
    return changed(meeting, one, Scope.ONE, as_draft(meeting, one, ANNE, starts_at=one.starts_at + by), now=now)


def rename(meeting: Meeting, title: str, *, now: dt.datetime = SOON) -> Meeting:
    one = date(meeting, 0)
    return changed(meeting, one, Scope.ALL, as_draft(meeting, one, ANNE, title=title), now=now)


def claimed(meeting: Meeting) -> None:
    """A sender has what is owed in its hands: an edit leaves it to that sender."""
    meeting.deliveries.filter(state="owed").update(state="sending", claimed_until=NOW + dt.timedelta(seconds=30))


def about_to_be_written(meeting: Meeting) -> None:
    """The sender comes to it."""
    meeting.deliveries.filter(state="sending").update(state="owed", claimed_until=None, due_at=NOW)


def only_letter(mailbox: Mailbox) -> Received:
    """The one letter after the invitation."""
    send_all(LATER)
    _invitation, letter = received(mailbox, ANNE)
    return letter


def words(mail: Received) -> str:
    return "\n".join(mail.text.replace("\xa0", " ").splitlines())


def dates_told(mail: Received) -> list[int]:
    return [event["RECURRENCE-ID"].dt.day for event in mail.calendar.walk("VEVENT") if "RECURRENCE-ID" in event]


def test_a_moved_date_and_a_shortened_series(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(weekly, 2)
    cancel(meeting=meeting, occurrence=date(meeting, 4), scope=Scope.FOLLOWING, by=meeting.organiser, now=SOON)
    mail = only_letter(mailbox)
    text = words(mail)
    assert dates_told(mail) == [8]
    assert "a annulé une date et les suivantes : cette série s’arrête désormais le mardi 15 décembre 2026." in text
    assert "La date du mardi 8 décembre 2026, 10:00 est déplacée au mardi 8 décembre 2026, 11:00." in text
    assert "Votre réponse pour cette date ne compte plus." in text
    was, now = "Mardi 8 décembre 2026, 10:00 – 11:00", "Mardi 8 décembre 2026, 11:00 – 12:00"
    assert f"Une date déplacée : [avant : {was}] {now}" in text
    assert was in mail.html.replace("\xa0", " ")
    assert now in mail.html.replace("\xa0", " ")
    assert mail.subject.startswith("Modifié (répétition, une date) : ")


def test_the_other_way_round(weekly: Meeting, mailbox: Mailbox) -> None:
    """The letter of the series waits when the date moves: the series did not move."""
    cancel(meeting=weekly, occurrence=date(weekly, 4), scope=Scope.FOLLOWING, by=weekly.organiser, now=NOW)
    meeting = move(weekly, 2, now=SOON)
    assert [row[1:] for row in owed(meeting)] == [("REQUEST", "changed", "")]
    text = words(only_letter(mailbox))
    assert "cette série s’arrête désormais le mardi 15 décembre 2026." in text
    assert "La date du mardi 8 décembre 2026, 10:00 est déplacée au mardi 8 décembre 2026, 11:00." in text
    assert "toute la série" not in text


def test_two_moved_dates_and_a_new_title(weekly: Meeting, mailbox: Mailbox) -> None:
    title = weekly.title
    meeting = move(move(weekly, 1), 3, 2 * HOUR)
    rename(meeting, "Comité de pilotage")
    mail = only_letter(mailbox)
    text = words(mail)
    assert f"Titre : [avant : {title}] Comité de pilotage" in text
    assert "2 dates changent aussi : elles sont nommées plus bas." in text
    assert text.count("Une date déplacée : [avant : ") == 2
    assert mail.subject.startswith("Modifié (titre, 2 dates) : Comité de pilotage")


def test_a_date_moved_twice_is_told_from_where_the_reader_knows_it(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(move(weekly, 2), 2, 3 * HOUR)
    rename(meeting, "Comité de pilotage")
    text = words(only_letter(mailbox))
    assert "La date du mardi 8 décembre 2026, 10:00 est déplacée au mardi 8 décembre 2026, 14:00." in text
    assert "11:00" not in text.split("Une date déplacée")[1].split("\n")[0].split("]")[0].split("–")[0]


def test_a_date_renamed_by_itself(weekly: Meeting, mailbox: Mailbox) -> None:
    one = date(weekly, 2)
    title = weekly.title
    meeting = changed(weekly, one, Scope.ONE, as_draft(weekly, one, ANNE, title="Bilan"))
    cancel(meeting=meeting, occurrence=date(meeting, 4), scope=Scope.FOLLOWING, by=meeting.organiser, now=NOW)
    text = words(only_letter(mailbox))
    assert f"Une date modifiée : [avant : {title}] Mardi 8 décembre 2026, 10:00 – 11:00 : Bilan" in text


def test_a_date_that_went_with_the_rest_is_not_named(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(weekly, 4)
    cancel(meeting=meeting, occurrence=date(meeting, 3), scope=Scope.FOLLOWING, by=meeting.organiser, now=SOON)
    mail = only_letter(mailbox)
    assert "Une date" not in words(mail)
    assert mail.subject.startswith("Modifié (répétition) : ")


def test_a_date_moved_and_taken_back_is_not_named(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(weekly, 2)
    meeting = undo(meeting=meeting, by=meeting.organiser, now=SOON)
    rename(meeting, "Comité de pilotage")
    mail = only_letter(mailbox)
    assert "déplacée" not in words(mail)
    assert mail.subject.startswith("Modifié (titre) : ")


def test_people_alone_change_while_a_moved_date_waits(weekly: Meeting, mailbox: Mailbox) -> None:
    """The series is as it was: the date's own letter still says what there is to say."""
    meeting = move(weekly, 2)
    one = date(meeting, 0)
    changed(meeting, one, Scope.ALL, as_draft(meeting, one, ANNE, "luc@partenaire.example"), now=SOON)
    mail = only_letter(mailbox)
    assert "a déplacé une seule date, celle du mardi 8 décembre 2026, 10:00 : les autres restent." in words(mail)
    assert dates_told(mail) == [8]
    [luc] = received(mailbox, "luc@partenaire.example")
    assert luc.subject.startswith("Invitation : ")
    assert dates_told(luc) == [8]


def test_a_letter_put_aside_in_its_sender_s_hands_lends_its_words(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(weekly, 2)
    claimed(meeting)
    rename(meeting, "Comité de pilotage")
    about_to_be_written(meeting)
    assert deliver(now=NOW + dt.timedelta(seconds=1)).superseded == 1
    text = words(only_letter(mailbox))
    assert "La date du mardi 8 décembre 2026, 10:00 est déplacée au mardi 8 décembre 2026, 11:00." in text


def test_a_move_put_aside_in_its_sender_s_hands_is_still_a_move(mailbox: Mailbox) -> None:
    """A meeting once: moved, and renamed while the letter of the move was about to be written."""
    boss = factories.agent("Karim", "Benali")
    meeting = series(boss, ANNE, rule="", title="Comité")
    send_all(NOW)
    one = date(meeting, 0)
    meeting = changed(meeting, one, Scope.ALL, as_draft(meeting, one, ANNE, starts_at=one.starts_at + HOUR))
    claimed(meeting)
    rename(meeting, "Bureau")
    about_to_be_written(meeting)
    assert deliver(now=NOW + dt.timedelta(seconds=1)).superseded == 1
    mail = only_letter(mailbox)
    text = words(mail)
    assert "a déplacé cette réunion. Votre réponse précédente ne compte plus." in text
    assert "Avant : Mardi 24 novembre 2026, 10:00 – 11:00" in text
    assert "Titre : [avant : Comité] Bureau" in text
    assert mail.subject == "Modifié (titre) : Bureau, mar. 24 nov. 11:00 au lieu de mar. 24 nov. 10:00"


def test_moved_then_cancelled_is_cancelled_at_the_hour_that_the_reader_knows(weekly: Meeting, mailbox: Mailbox) -> None:
    meeting = move(weekly, 2)
    cancel(meeting=meeting, occurrence=date(meeting, 2), scope=Scope.ONE, by=meeting.organiser, now=SOON)
    mail = only_letter(mailbox)
    assert mail.subject.endswith(", mar. 8 déc. 10:00")
    assert "a annulé une seule date, celle du mardi 8 décembre 2026, 10:00 : les autres restent." in words(mail)
    assert "11:00" not in words(mail).replace("10:00 – 11:00", "")
