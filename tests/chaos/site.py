"""A site of its own that is killed and fills up, and is started again."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import requests

from tests.chaos.clock import Clock

ROOT = Path(__file__).resolve().parent.parent.parent
MAKE = """
from django.contrib.auth.models import User
from gallery import access_tokens
for name in {names}:
    print("TOKEN", name, access_tokens.create(User.objects.create_user(name), "chaos")[1])
"""


class Site:
    """Web server and worker on a folder; both are children of this process and are started when they end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kills, self.stopping = folder, 0, False
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "PICFUSION_VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
            "EXTRACTOR": "lite", "READ_TEXT": "off", "PORT": str(self.port), "WEB_CONCURRENCY": "2",
            "MIN_FREE_MB": "5",
        }  # fmt: skip
        self.clock = Clock(folder.parent)
        self.environment |= self.clock.environment
        self.log = (folder.parent / "site.log").open("a")
        self.processes: dict[str, subprocess.Popen] = {}
        self.lock = threading.Lock()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run manage.py on its folder."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    def people(self, names: list[str]) -> dict[str, str]:
        """Make people; their tokens by name."""
        lines = self.manage("shell", "-c", MAKE.format(names=names)).stdout.splitlines()
        return {own[1]: own[2] for own in map(str.split, lines) if own[:1] == ["TOKEN"]}

    def keep_running(self) -> None:
        """Start what does not run, as systemd does; until `stop`."""
        commands = {
            "web": ["-m", "gunicorn", "picfusion_site.wsgi", "--config", "picfusion_site/gunicorn.py"],
            "worker": ["manage.py", "worker"],
        }
        while not self.stopping:
            with self.lock:
                for name, command in commands.items():
                    running = self.processes.get(name)
                    if running is None or running.poll() is not None:
                        self.processes[name] = subprocess.Popen(
                            [sys.executable, *command], cwd=ROOT, env=self.environment,
                            stdout=self.log, stderr=self.log, start_new_session=True,
                        )  # fmt: skip
            time.sleep(0.3)

    def everything(self) -> list[psutil.Process]:
        """Every process of the site."""
        found = []
        for process in list(self.processes.values()):
            try:
                own = psutil.Process(process.pid)
                found += [own, *own.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def kill_one(self, chance: random.Random) -> None:
        """End one of the processes, whichever, at once."""
        processes = self.everything()
        if processes:
            try:
                chance.choice(processes).kill()
                self.kills += 1
            except psutil.NoSuchProcess:
                pass

    def wait_until_up(self, seconds: float = 60) -> None:
        """Until the web server answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.3)
        end = (self.folder.parent / "site.log").read_text()[-3000:]
        raise TimeoutError(f"the site does not come up any more: {end}")

    def stop(self) -> None:
        """End everything."""
        self.stopping = True
        with self.lock:
            for process in self.processes.values():
                process.send_signal(signal.SIGTERM)
            for process in self.processes.values():
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        self.log.close()
