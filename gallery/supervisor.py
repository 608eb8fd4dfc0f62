"""The worker's outer process: it keeps a django-q cluster alive, and ends all of it when told to.

django-q replaces a dead worker, but a process that is killed while it waits for work takes the queue's lock
with it, and its successors wait for ever. So whenever any process of the cluster dies, the whole cluster is
ended and started again.
"""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q import signals
from django_q.cluster import Sentinel
from django_q.models import OrmQ
from django_q.tasks import async_task
from filelock import FileLock, Timeout

from gallery import tasks
from gallery.machine import machine_id
from gallery.models import WorkerState

logger = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks at the cluster's processes
PULSE = 5.0  # seconds between two small tasks that an idle cluster is given
DEAF = 20.0  # seconds without a sign from a cluster that is at nothing: it does not hear any more
# Among workers of other machines each gets its share by chance, however many they are: within two minutes one
# in 10^10 gets none.
DEAF_AMONG_OTHERS = 120.0
BEAT = 5.0  # seconds between two heartbeats
ASK = 60.0  # seconds between two looks for pictures that wait
PATIENCE = 8.0  # seconds that a cluster gets to end by itself
WATCH_PATIENCE = 1.5  # the same for what watches folders
LONGEST_PAUSE = 15.0  # seconds between two starts of a cluster that dies at once
PARENT = "PICFUSION_WORKER_PARENT"  # tells the cluster whose child it is
IDLE = "idle"
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class AlreadyRunningError(Exception):
    """Another worker runs on this data folder."""


class Supervisor:
    """Starts the cluster, watches it, and ends it."""

    def __init__(self) -> None:
        self.stopping = False
        self.restarts = 0
        self.machine = machine_id()
        # By a clock that nobody sets: what is taken from the system's jumps with it.
        self._beat_at = self._pulse_at = self._watch_at = self._ask_at = 0.0
        self._heard, self._heard_at = 0.0, 0.0  # the last sign of the cluster, and when it was seen first
        self._watch: subprocess.Popen | None = None

    def run(self) -> None:
        """Keep a cluster running until SIGTERM or SIGINT. AlreadyRunningError if another worker does."""
        with only_one(settings.VAR_DIR / "worker.lock"):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            end_leftovers(settings.VAR_DIR / "worker.group")
            self._release_tasks()
            pause = 0.0
            try:
                while not self.stopping:
                    began = time.monotonic()
                    self._run_cluster()
                    pause = min(2 * pause + 1, LONGEST_PAUSE) if time.monotonic() - began < 30 else 0.0
                    self._wait(pause)
            finally:
                if self._watch:
                    end_group(self._watch, WATCH_PATIENCE)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(0.1)

    def _run_cluster(self) -> None:
        """Run a cluster until it is to end or one of its processes died; then end all of it."""
        self._release()
        # A group of its own: what is sent to the whole group of this process reaches the cluster by this one
        # alone.
        cluster = subprocess.Popen(
            [sys.executable, sys.argv[0], "worker", "--cluster"],
            start_new_session=True,
            env=os.environ | {PARENT: str(os.getpid())},
        )
        _note(settings.VAR_DIR / "worker.group", f"{cluster.pid} {psutil.Process(cluster.pid).create_time()}")
        known: set[int] = set()
        seen: set[int] = set()
        began = time.monotonic()
        while not self.stopping and cluster.poll() is None:
            self._beat()
            self._ask()
            self._watch_folders()
            living = forks_of(cluster.pid)
            if dead := known - living:
                logger.warning("Process %s of the worker died; it is started again", min(dead))
                break
            known |= living & seen  # a program that is being started looks like a fork, but not twice
            seen = living
            if self._is_deaf(began):
                logger.warning("The worker takes no tasks any more; it is started again")
                break
            time.sleep(LOOK)
        end_group(cluster, PATIENCE if self.stopping else 0)
        if not self.stopping:
            self.restarts += 1

    def _is_deaf(self, began: float) -> bool:
        """Say whether the cluster is alive and at nothing, and yet takes no small task that it is given."""
        try:
            state, heard = pulse_file().read_text(), pulse_file().stat().st_mtime
        except FileNotFoundError:
            state, heard = IDLE, 0.0
        if state == IDLE and time.monotonic() - self._pulse_at > PULSE:
            self._pulse_at = time.monotonic()
            with contextlib.suppress(DatabaseError):
                async_task("gallery.supervisor.pulse", save=False)
        if heard != self._heard:
            self._heard, self._heard_at = heard, time.monotonic()
        silent = time.monotonic() - max(self._heard_at, began)
        return state == IDLE and silent > DEAF and silent > (DEAF_AMONG_OTHERS if self._has_others() else 0)

    def _has_others(self) -> bool:
        """Whether workers of other machines take tasks from the same queue, this one's small ones, too."""
        recent = timezone.now() - timedelta(seconds=12 * BEAT)
        try:
            return WorkerState.objects.filter(beat_at__gt=recent).exclude(machine=self.machine).exists()
        except DatabaseError:
            return True  # then no task is taken by anybody

    def _watch_folders(self) -> None:
        """Keep the process running that watches folders, where there are any."""
        if not settings.WATCH_FOLDERS or time.monotonic() < self._watch_at:
            return
        self._watch_at = time.monotonic() + LONGEST_PAUSE
        if self._watch is None or self._watch.poll() is not None:
            self._watch = subprocess.Popen(
                [sys.executable, sys.argv[0], "watch"],
                start_new_session=True,
                env=os.environ | {PARENT: str(os.getpid())},
            )

    def _release(self) -> None:
        """Give back what this machine's last cluster held, so that nothing waits for its lease."""
        with contextlib.suppress(DatabaseError):
            if count := tasks.release(self.machine):
                logger.warning("%d interrupted pictures are queued again", count)

    def _release_tasks(self) -> None:
        """Take up again what the worker was at when it was stopped; the queue itself would wait an hour.

        Not among several machines, whose tasks others may be at, nor after a crash, which a task may cause.
        """
        if self._has_others():
            return
        with contextlib.suppress(DatabaseError):
            now = timezone.now()
            if count := OrmQ.objects.filter(lock__gt=now).update(lock=now):
                logger.warning("%d interrupted tasks are taken up again", count)

    def _ask(self) -> None:
        """Have what waits read, each minute: a clock that was set back leaves the queue's times far off."""
        if time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + ASK
        try:
            if tasks.claimable().exists():
                tasks.enqueue()
        except DatabaseError as error:
            logger.warning("The worker could not be asked for what waits: %s", error)
            connection.close()

    def _beat(self) -> None:
        """Note that the worker is alive. A database that is locked or gone is no reason to end it."""
        if time.monotonic() - self._beat_at < BEAT:
            return
        self._beat_at = time.monotonic()
        try:
            WorkerState.objects.update_or_create(
                machine=self.machine, defaults={"beat_at": timezone.now(), "restarts": self.restarts}
            )
        except DatabaseError as error:
            logger.warning("The worker's heartbeat could not be written: %s", error)
            connection.close()


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock of this data folder's worker; the system lets go of it however its holder ends."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadyRunningError(f"Another worker runs already, on {path.parent}.") from error
    try:
        yield
    finally:
        lock.release()


def forks_of(pid: int) -> set[int]:
    """Find the living forks of a process, at any depth; not the programs that they started."""
    try:
        root = psutil.Process(pid)
        command = root.cmdline()
        children = root.children(recursive=True)
    except psutil.Error:
        return set()
    living = set()
    for child in children:
        with contextlib.suppress(psutil.Error):
            if child.cmdline() == command and child.status() != psutil.STATUS_ZOMBIE:
                living.add(child.pid)
    return living


def end_group(leader: subprocess.Popen, patience: float) -> None:
    """End a process group: by SIGTERM to its leader, and after `patience` seconds by SIGKILL to all."""
    if patience and leader.poll() is None:
        leader.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


def _note(path: Path, text: str) -> None:
    """Write a small file that is whole whenever somebody reads it."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    temporary.replace(path)


def end_with_supervisor() -> None:
    """Have this process end with the supervisor that started it, if one did."""
    if PARENT in os.environ:
        die_with_parent(int(os.environ[PARENT]))


def end_leftovers(note: Path) -> None:
    """End what is left of a cluster whose supervisor was killed; its group and start time stand in `note`."""
    try:
        group, started = note.read_text().split()
        leader_started = psutil.Process(int(group)).create_time()
    except (OSError, ValueError, psutil.Error):
        return
    if abs(leader_started - float(started)) < 1:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(group), signal.SIGKILL)


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel end this process when its parent ends, however that happens. Linux only."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        return
    if parent is not None and os.getppid() != parent:  # it ended before the kernel was told
        os._exit(1)


def tie_to_supervisor() -> None:
    """Have the cluster end with its supervisor, each fork with its maker, and give signs of life."""
    die_with_parent(int(os.environ[PARENT]))
    os.register_at_fork(after_in_child=die_with_parent)
    # One that dies before the supervisor saw it would be replaced, and its successor might wait for ever.
    Sentinel.reincarnate = _end_cluster
    pulse_file().unlink(missing_ok=True)
    signals.pre_execute.connect(lambda **_: pulse_file().write_text("busy"), weak=False)
    signals.post_execute_in_worker.connect(lambda **_: pulse_file().write_text(IDLE), weak=False)


def _end_cluster(_: Sentinel, process: BaseProcess) -> None:
    """End the cluster whose `process` died, instead of replacing it: the supervisor starts it all again."""
    logger.warning("Process %s of the worker died; the worker ends to be started again", process.pid)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def pulse_file() -> Path:
    """Where the cluster writes what it is at; when it did is its last sign of life."""
    return settings.VAR_DIR / "worker.pulse"


def pulse() -> None:
    """Do nothing: that the cluster does it is the sign."""
