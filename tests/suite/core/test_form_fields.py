from django import forms

from suite.core.form_fields import CommentField, DayField, HourField


class Typed(forms.Form):
    day = DayField()
    hour = HourField()
    comment = CommentField()


def test_a_day_and_an_hour_that_cannot_be_read_say_how_they_are_written() -> None:
    form = Typed({"day": "demain", "hour": "midi"})
    assert form.errors == {
        "day": ["Écrivez la date comme 26/11/2026."],
        "hour": ["Écrivez l’heure comme 10:30."],
    }


def test_a_day_that_is_not_there_is_asked_for() -> None:
    assert Typed({"hour": "10:30"}).errors == {"day": ["Choisissez une date."]}


def test_a_comment_may_be_missing_and_has_an_end() -> None:
    typed = {"day": "2026-11-26", "hour": "10:30"}
    assert Typed({**typed, "comment": "a" * 500}).is_valid()
    assert Typed(typed).is_valid()
    assert Typed({**typed, "comment": "a" * 501}).errors == {"comment": ["Le message a 501 caractères : 500 au plus."]}
