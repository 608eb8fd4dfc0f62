"""A short run of the chaos harness; the long one is started by hand: docs/reliability.md."""

import json
import subprocess
import sys

from tests.chaos.site import ROOT


def test_nothing_is_lost_while_processes_die():
    command = [
        sys.executable,
        "-m",
        "tests.chaos",
        "--minutes",
        "0.6",
        "--kills",
        "10",
        "--seed",
        "7",
        "--steady",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=420)
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert (report["wrong"], report["errors"]) == ([], [])
    assert report["kills"] > 3
    assert report["accepted"] > 0
    assert done.returncode == 0
