"""What the scripts say while they work."""

import sys
from pathlib import Path

import pytest

from suite.local.console import StepFailed, fail, run, seconds, step, together


def test_a_step_tells_what_it_does_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with step("Migrations"):
        pass

    assert capsys.readouterr().out == "… Migrations\n✓ Migrations (0,0 s)\n"


def test_a_step_that_fails_is_told_and_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), step("Migrations"):
        1 // 0  # noqa: B018 it is the error that is wanted

    assert capsys.readouterr().out == "… Migrations\n✗ Migrations (0,0 s)\n"


@pytest.mark.parametrize(("number", "text"), [(0, "0,0 s"), (3.21, "3,2 s"), (125.5, "125,5 s")])
def test_seconds_are_written_as_french_does(number: float, text: str) -> None:
    assert seconds(number) == text


def test_works_are_all_done_before_the_first_error_comes_up(tmp_path: Path) -> None:
    def fails() -> None:
        raise StepFailed("non")

    with pytest.raises(StepFailed, match="non"):
        together(fails, (tmp_path / "done").touch)

    assert (tmp_path / "done").exists()


def test_a_command_that_fails_says_its_last_words_and_what_to_do() -> None:
    with pytest.raises(StepFailed) as told:
        run([sys.executable, "-c", "print('presque'); raise SystemExit('raté')"], advice="Recommencez.")

    assert str(told.value).splitlines()[1:] == ["  presque", "  raté", "Recommencez."]


def test_a_command_answers_its_output() -> None:
    assert run([sys.executable, "-c", "print('bien')"], advice="") == "bien\n"


def test_a_failure_is_status_one_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(StepFailed("Le port est pris.")) == 1
    assert capsys.readouterr().err == "\n✗ Le port est pris.\n"
