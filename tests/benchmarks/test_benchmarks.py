"""The benchmark itself, on few pictures: both ways are asked the same, and the report has everything."""

import json

import numpy as np
import pytest

from tests.benchmarks import library as libraries
from tests.benchmarks import synthetic


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return libraries.build(tmp_path_factory.mktemp("benchmark"), 3000, 32)


@pytest.mark.parametrize("kind", libraries.KINDS)
def test_all_ways_agree(library, kind):
    asked = libraries.question(library, kind, np.random.default_rng(2))
    engine = libraries.by_engine(library, asked).tolist()
    assert engine == libraries.by_float64(library, asked).tolist()
    assert len(set(engine) & set(libraries.by_original(library, asked).tolist())) >= 0.9 * len(engine)
    assert len(engine) == 100


def test_the_pictures_are_as_described():
    [rows] = synthetic.chunks(5000, 32)
    per_image = np.bincount(rows.tags[:, 0])
    assert 10 < per_image.mean() < 14
    frequency = np.sort(np.bincount(rows.tags[:, 1]))[::-1]
    assert frequency[0] > 5 * frequency[20] > 0
    assert (rows.columns["owners"] == libraries.OWNER).mean() == pytest.approx(0.05, abs=0.01)
    np.testing.assert_allclose(np.linalg.norm(rows.vectors, axis=1), 1, atol=1e-5)


@pytest.mark.django_db
def test_processes_share_and_answer(library, tmp_path, settings):
    libraries.build(tmp_path, 2000, 32)
    open_s, memory = libraries.processes(tmp_path, 32, 2, settings.BASE_DIR)
    assert open_s > 0
    assert all(0 < held["pss"] < held["rss"] for held in memory)


def test_the_command_prints_one_object(tmp_path, settings):
    import os
    import subprocess
    import sys

    environment = os.environ | {
        "PICFUSION_VAR_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
    }
    command = [sys.executable, "-m", "tests.benchmarks.search", "--images", "2000", "--dim", "32", "--json"]
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    report = json.loads(done.stdout)
    promised = {
        "images",
        "dim",
        "exact",
        "bytes_per_image",
        "open_s",
        "refresh_ms",
        "bandwidth_gb_s",
        "queries",
    }
    assert promised <= set(report)
    assert report["exact"] is True
    for taken in report["queries"].values():
        assert set(taken) == {"original_ms", "engine_ms", "ratio", "bandwidth_ratio"}
        assert set(taken["engine_ms"]) == set(taken["original_ms"]) == {"p50", "p95"}
