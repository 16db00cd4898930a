import pytest

from bench.__main__ import MEASURES, names, parse


def test_everything_is_measured_unless_told_otherwise() -> None:
    assert parse([]).only == list(MEASURES)


def test_some_measures_can_be_chosen_and_keep_their_order() -> None:
    assert names("posts,fanout") == ["fanout", "posts"]


def test_an_unknown_measure_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--only", "posts,speed"])
    assert "no measure speed" in capsys.readouterr().err
