import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from suite.core.refusals import Refusal


class TooMany(Refusal):
    WORDS = {"sunday": gettext_lazy("Sunday"), "most": gettext_lazy("%(most)d au plus")}


class Late(Refusal):
    WORDS = {"late": gettext_lazy("100 % trop tard")}


def test_the_words_are_those_of_the_reader_and_not_of_whoever_refused() -> None:
    refused = TooMany("sunday")
    with translation.override("fr"):
        assert refused.message == "dimanche"
    with translation.override("en"):
        assert refused.message == "Sunday"
    assert (refused.reason, str(refused)) == ("sunday", "sunday")


def test_words_may_name_a_limit() -> None:
    assert TooMany("most", most=3).message == "3 au plus"


def test_words_that_name_nothing_are_said_as_they_are() -> None:
    assert Late("late").message == "100 % trop tard"


def test_a_refusal_without_words_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="Mute has no WORDS"):
        type("Mute", (Refusal,), {})
