"""The real site: the processes of the Procfile, on a port and in a folder of their own, and a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

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
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """`make run` without the installing: first_run, then honcho with web and worker, stopped by Ctrl-C at the end."""
    var = tmp_path_factory.mktemp("site")
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
        [folder / "honcho", "start"], cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log, process_group=0
    )
    try:
        wait_for(lambda: urllib.request.urlopen(site.url + "/healthz").status == 200)
        yield site
    finally:
        os.killpg(honcho.pid, signal.SIGINT)
        honcho.wait(20)
        log.close()
    output = (var / "honcho.log").read_text()
    assert "SIGKILL" not in output, output
    assert "Traceback" not in output, output


def wait_for(condition, seconds: float = 90):
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


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if not path:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()
