"""The key that is made on first start."""

import stat
import subprocess
import sys
from pathlib import Path

from picfusion_site.secret_key import secret_key

ROOT = Path(__file__).resolve().parent.parent
RACE = """
import sys, time
from pathlib import Path
from picfusion_site.secret_key import secret_key
folder, start = Path(sys.argv[1]), float(sys.argv[2])
while time.time() < start:
    pass
print([secret_key(folder / str(i)) for i in range(40)])
"""


def test_it_is_kept_for_its_owner_alone(tmp_path):
    key = secret_key(tmp_path / "key")
    assert len(key) > 50
    assert secret_key(tmp_path / "key") == key
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_processes_that_start_together_read_the_same_whole_key(tmp_path):
    import time

    command = [sys.executable, "-c", RACE, str(tmp_path), str(time.time() + 1.5)]
    racers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {racer.communicate()[0] for racer in racers}
    assert len(answers) == 1
    assert "''" not in answers.pop()
