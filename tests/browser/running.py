"""The real site: the processes of the Procfile, on a port and in a folder of their own, and a real
browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CHROMIUM += ["--disable-sync", "--no-first-run"]


@dataclass
class Site:
    url: str
    var: Path
    password: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run manage.py and return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=BASE, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


@contextmanager
def running(var: Path) -> Iterator[Site]:
    """`make run` without the installing: first_run, then honcho with web and worker, stopped by Ctrl-C at the
    end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        "PICFUSION_VAR_DIR": str(var),
        "PORT": str(port),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }
    site = Site(f"http://127.0.0.1:{port}", var, "", environment)
    site.manage("first_run")
    site.password = (var / "admin-password").read_text().strip()
    log = (var / "honcho.log").open("w")
    honcho = subprocess.Popen(
        [folder / "honcho", "start"], cwd=BASE, env=environment, stdout=log, stderr=log, process_group=0
    )
    try:
        wait_for(lambda: urllib.request.urlopen(site.url + "/healthz").status == 200)
        yield site
    finally:
        os.killpg(honcho.pid, signal.SIGINT)
        honcho.wait(20)
        log.close()


def wait_for(condition, seconds: float = 240):
    """What `condition` returns once it is true; an assertion error when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if value := condition():
                return value
        except OSError:
            pass
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def chromium_path() -> str | None:
    return shutil.which("chromium")


def sign_in(page, password: str, username: str = "admin") -> None:
    """By the page for that."""
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def all_ready(page) -> bool:
    """Whether every picture on the home page was read; goes there."""
    page.goto("/")
    return page.locator(".badge").count() == 0 and page.locator(".tile").count() > 10
