"""The real worker, its processes killed one after the other: reading goes on, and it ends when told to."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from gallery import ingest, supervisor
from gallery.models import WorkerState
from tests.browser.running import wait_for
from tests.conftest import drawn, encoded, upload

ROOT = Path(__file__).resolve().parent.parent
COUNT = "from gallery.models import Image; print('left', Image.objects.exclude(status='ready').count())"


def test_what_waits_is_read_though_the_clock_was_set_back(stranger):
    """The queue's tasks and schedules are of two hours later then."""
    ingest.add(stranger, upload(encoded(drawn("navy"))))
    OrmQ.objects.update(lock=timezone.now() + timedelta(hours=2))
    Schedule.objects.update(next_run=timezone.now() + timedelta(hours=2))
    watching = supervisor.Supervisor()
    watching._ask()
    watching._ask()
    ready = OrmQ.objects.filter(lock__lte=timezone.now())
    assert [task.func() for task in ready] == ["gallery.tasks.extract_pending"]


def test_a_task_that_a_stop_interrupted_is_taken_up_again_by_the_next_start(db):
    now = timezone.now()
    task = OrmQ.objects.create(key="picfusion", payload="{}", lock=now + timedelta(hours=1))
    WorkerState.objects.create(machine="another", beat_at=now)  # which may be at it
    supervisor.Supervisor()._release_tasks()
    assert OrmQ.objects.filter(pk=task.pk, lock__gt=timezone.now()).exists()
    WorkerState.objects.update(beat_at=now - timedelta(minutes=5))
    supervisor.Supervisor()._release_tasks()
    assert OrmQ.objects.filter(pk=task.pk, lock__lte=timezone.now()).exists()


@pytest.mark.parametrize("jump", [-7200, 7200])
def test_a_clock_that_jumps_makes_no_cluster_deaf(db, settings, tmp_path, monkeypatch, jump):
    settings.VAR_DIR = tmp_path
    watching, now = supervisor.Supervisor(), [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    supervisor.pulse_file().write_text(supervisor.IDLE)
    at = supervisor.pulse_file().stat().st_mtime
    assert not watching._is_deaf(began=now[0])
    os.utime(supervisor.pulse_file(), (at + jump, at + jump))
    assert not watching._is_deaf(began=now[0])
    now[0] += supervisor.DEAF + 1
    assert watching._is_deaf(began=1000.0)


class Worker:
    """A worker on a data folder of its own, and the pictures that it is given."""

    def __init__(self, var: Path):
        self.environment = {
            name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
        }
        self.environment["PICFUSION_VAR_DIR"] = str(var)
        self.var = var
        self.supervisor = None

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def start(self) -> None:
        log = (self.var / "worker.log").open("a")
        command = [sys.executable, "manage.py", "worker"]
        self.supervisor = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        wait_for(lambda: len(self.forks()) >= 4, 60)

    def cluster(self) -> int:
        return int((self.var / "worker.group").read_text().split()[0])

    def forks(self) -> set[int]:
        try:
            return supervisor.forks_of(self.cluster())
        except FileNotFoundError:
            return set()

    def left(self) -> int:
        return int(self.manage("shell", "--verbosity", "0", "-c", COUNT).split("left")[-1])

    def requeue(self) -> None:
        """All pictures wait to be read again, and are asked for."""
        self.manage(
            "shell", "--verbosity", "0", "-c",
            "from gallery import tasks; from gallery.models import Image;"
            "Image.objects.update(status='pending', attempts=0); tasks.enqueue()",
        )  # fmt: skip

    def gone(self) -> bool:
        """Whether nothing of it is left."""
        group = self.cluster()
        return not any(
            process.info["status"] != psutil.STATUS_ZOMBIE and _group(process.pid) == group
            for process in psutil.process_iter(["status"])
        )


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    worker = Worker(tmp_path_factory.mktemp("worker"))
    worker.manage("first_run")
    worker.start()
    wait_for(lambda: worker.left() == 0)
    yield worker
    worker.supervisor.kill()
    worker.supervisor.wait()
    wait_for(worker.gone)


def test_any_process_of_it_is_killed_while_idle_and_it_reads_again(worker):
    """Even the one that waits for work and holds the queue's lock."""
    for place in range(len(worker.forks())):
        before = worker.forks()
        os.kill(sorted(before)[place], signal.SIGKILL)
        wait_for(lambda before=before: not worker.forks() & before, 30)
        wait_for(lambda: len(worker.forks()) >= 4, 60)
    worker.requeue()
    wait_for(lambda: worker.left() == 0)


def test_it_is_killed_while_it_reads_and_goes_on(worker):
    worker.requeue()
    for _ in range(2):
        wait_for(lambda: len(worker.forks()) >= 4, 60)
        time.sleep(1)
        os.kill(max(worker.forks(), default=worker.cluster()), signal.SIGKILL)
        time.sleep(1)
    wait_for(lambda: worker.left() == 0)


def test_a_second_one_refuses_to_start(worker):
    command = [sys.executable, "manage.py", "worker"]
    second = subprocess.run(
        command, cwd=ROOT, env=worker.environment, capture_output=True, text=True, timeout=60
    )
    assert second.returncode != 0
    assert "Another worker runs already" in second.stderr


def test_the_supervisor_is_killed_and_nothing_is_left_behind(worker):
    worker.supervisor.kill()
    worker.supervisor.wait()
    wait_for(worker.gone, 20)
    worker.start()
    worker.requeue()
    wait_for(lambda: worker.left() == 0)


@pytest.mark.parametrize("whom", ["supervisor", "everyone"])
def test_it_ends_when_it_is_told_to(worker, whom):
    told = {worker.supervisor.pid}
    if whom == "everyone":  # as systemd does
        told |= worker.forks() | {worker.cluster()}
    for pid in told:
        os.kill(pid, signal.SIGTERM)
    worker.supervisor.wait(supervisor.PATIENCE + 20)
    assert worker.gone()
    worker.start()
