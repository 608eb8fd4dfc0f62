"""A short run of the fuzzer; the long one is started by hand: docs/reliability.md."""

import json

import pytest

from tests import fuzz


def test_broken_files_are_refused_and_nothing_else(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["fuzz", "--cases", "500", "--seed", "5"])
    assert fuzz.main() == 0
    report = json.loads(capsys.readouterr().out)
    assert report["wrong"] == []
    assert report["outcomes"]["answered"] > 20  # some are not broken enough: both ways are taken
    assert sum(report["outcomes"].values()) == 500


def test_whole_files_are_answered(monkeypatch):
    for name, content in fuzz.whole_files().items():
        assert fuzz.Decoder(fuzz.Limits()).examine(fuzz.io.BytesIO(content)).format == name, name


@pytest.mark.parametrize("seed", range(3))
def test_what_is_broken_is_not_what_it_was(seed):
    chance = fuzz.random.Random(seed)
    content = b"x" * 100
    assert any(fuzz.broken(content, chance) != content for _ in range(5))
