"""The mails of polls, as a real SMTP server received them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from suite.mail.models import OutboxMail
from suite.mail.outbox import deliver_outbox
from tests import factories
from tests.looking import Mailbox
from tests.processes import CeleryProcess
from tests.visio.polls.asking import NO, YES, answered, keys, person, poll, poll_draft
from tests.waiting import until
from visio.meetings.invitations import deliver
from visio.polls.closing import choose_date
from visio.polls.models import Poll, PollVote
from visio.polls.opening import edit_poll, open_poll
from visio.polls.reminding import remind
from visio.polls.tasks import remind_polls
from visio.polls.tokens import link_token

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
ANNE, BOB = "anne@partenaire.example", "bob@partenaire.example"


@pytest.mark.django_db
def test_an_invitation_names_the_dates_and_leads_to_the_vote(mailbox: Mailbox) -> None:
    boss = factories.agent("Karim", "Benali")
    far = factories.agent("Sam", language="en", time_zone="Indian/Reunion")
    draft = poll_draft(
        [far, ANNE], now=NOW, title="Comité <b>de suivi</b>", place="Salle 3", deadline_in=dt.timedelta(days=5)
    )
    made = open_poll(by=boss, draft=draft, now=NOW)
    assert deliver_outbox(now=NOW).sent == 2
    [anne], [sam] = mailbox.wait(ANNE), mailbox.wait(far.email)
    assert anne["subject"] == "Sondage : Comité <b>de suivi</b>"
    assert anne["recipients"] == [ANNE]
    headers = dict(anne["headers"])
    assert boss.email in headers["Reply-To"]
    assert "Karim Benali" in headers["From"]
    for words in (
        "dim. 29 nov. 2026",
        "10:00 – 11:00",
        "Salle 3",
        "heure de Paris",
        "Vendredi 27 novembre 2026, 10:00",
    ):
        assert words in anne["text"], words
    assert "Comité &lt;b&gt;de suivi&lt;/b&gt;" in anne["html"]
    assert "13:00 – 14:00" in sam["text"], "in the reader's own zone"
    link = re.search(r"https?://[^/\s]+(/sondage/[\w-]{32}/)", anne["text"])
    assert link is not None
    assert link[1] == f"/sondage/{link_token(person(made, ANNE))}/"
    assert link[1] in anne["html"]
    assert link[1] not in sam["text"], "one link a person"
    now = timezone.now()
    Poll.objects.update(deadline=now + dt.timedelta(days=1))
    assert Client().post(link[1], {f"vote-{key}": YES for key in keys(made)}).status_code == 302
    assert PollVote.objects.filter(participant=person(made, ANNE), choice=YES).count() == 3


@pytest.mark.django_db
def test_header_injection_stays_in_the_words(mailbox: Mailbox) -> None:
    made = poll(people=[ANNE], now=NOW)
    Poll.objects.filter(pk=made.pk).update(title="A\r\nBcc: x@y.example")
    remind(poll=made, by=made.organiser, now=NOW)
    deliver_outbox(now=NOW)
    [first, *_others] = mailbox.wait(ANNE, count=2)
    assert "Bcc" not in dict(first["headers"])
    assert mailbox.messages("x@y.example") == []


@pytest.mark.django_db
def test_one_mail_a_person_for_what_happens(mailbox: Mailbox) -> None:
    made = poll(people=[ANNE, BOB], now=NOW)
    boss = made.organiser
    deliver_outbox(now=NOW)
    answered(made, ANNE, YES, YES, NO, now=NOW)
    remind(poll=made, by=boss, now=NOW)
    edit_poll(poll=made, by=boss, draft=poll_draft([ANNE, BOB], now=NOW, days=[7, 8, 10]), now=NOW)
    deliver_outbox(now=NOW)
    meeting = choose_date(poll=made, key=keys(made)[0], by=boss, now=NOW)
    deliver_outbox(now=NOW)
    deliver(now=NOW)
    title = meeting.title
    expected = [f"Sondage : {title}", f"Sondage, nouvelles dates : {title}"]
    subjects = {who: sorted(mail["subject"] for mail in mailbox.messages(who)) for who in (ANNE, BOB)}
    polls = {who: [subject for subject in said if "ondage" in subject] for who, said in subjects.items()}
    assert polls == {ANNE: expected, BOB: sorted([*expected, f"Rappel, sondage : {title}"])}
    assert {len(said) for said in subjects.values()} == {3, 4}, "and the invitation to the meeting"


@pytest.mark.django_db(transaction=True)
def test_the_invitation_leaves_by_itself(mailbox: Mailbox, celery_worker: CeleryProcess) -> None:
    made = poll(people=[ANNE])
    mailbox.wait(ANNE)
    until(lambda: not OutboxMail.objects.exclude(state="sent").exists(), what="the letter marked as sent")
    assert made.participants.count() == 1


@pytest.mark.django_db
def test_the_task_reminds_once(mailbox: Mailbox) -> None:
    now = timezone.now()
    made = poll(people=[ANNE, BOB], now=now - dt.timedelta(days=4), deadline_in=dt.timedelta(days=5))
    answered(made, BOB, YES, YES, YES, now=now - dt.timedelta(days=3))
    poll(people=["plus-tard@partenaire.example"], deadline_in=dt.timedelta(days=5))
    for _time in range(3):
        remind_polls()
    deliver_outbox(now=timezone.now())
    assert [mail["subject"] for mail in mailbox.messages(ANNE)].count("Rappel, sondage : Comité de suivi") == 1
    assert not any("Rappel" in mail["subject"] for mail in mailbox.messages(BOB))
    assert OutboxMail.objects.filter(key__contains=":reminder:").count() == 1
