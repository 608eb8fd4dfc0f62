"""Slow clients and stops, with the real server: it answers others, and lets what is under way finish."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest

from picfusion_site import slow_clients
from tests.browser.running import wait_for
from tests.conftest import drawn, encoded
from tests.gallery.test_backup import ROOT, Site

THREADS = 16
BOUNDARY = "----picfusion"
MAKE = """
from django.contrib.auth.models import User
from gallery import access_tokens
for name in ("ana", "ben", "carl"):
    print(name, access_tokens.create(User.objects.create_user(name), "test")[1])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server of its own, and a token for each of three people."""
    site = Site(tmp_path_factory.mktemp("slow") / "site")
    site.manage("migrate", "-v0")
    lines = [line.split() for line in site.manage("shell", "-c", MAKE).stdout.splitlines()]
    site.tokens = dict(line for line in lines if len(line) == 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site.port = free.getsockname()[1]
    site.server = start(site)
    yield site
    site.server.terminate()
    site.server.wait(20)


def start(site: Site) -> subprocess.Popen:
    environment = os.environ | {
        "PICFUSION_VAR_DIR": str(site.folder), "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
        "EXTRACTOR": "lite", "PORT": str(site.port), "WEB_THREADS": str(THREADS), "STOP_SECONDS": "8",
        "ACCESS_LOG": "on", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "picfusion_site.wsgi",
        "--config",
        "picfusion_site/gunicorn.py",
    ]
    log = (site.folder / "server.log").open("a")
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)
    wait_for(lambda: get(site, "/healthz") == 200)
    return server


def get(site: Site, path: str, token: str = "", headers: dict[str, str] | None = None) -> int:
    own = {"Authorization": f"Token {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{site.port}{path}", headers=own | (headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


class Upload:
    """An upload by a socket, of which only the beginning is sent at first."""

    def __init__(self, site: Site, token: str, content: bytes) -> None:
        self.body = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
            + content + b" " * max(0, slow_clients.LARGE - len(content)) + f"\r\n--{BOUNDARY}--\r\n".encode()
        )  # fmt: skip
        self.socket = socket.create_connection(("127.0.0.1", site.port), timeout=20)
        head = (
            f"POST /api/v1/images/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Token {token}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        )
        self.socket.sendall(head.encode() + self.body[:1000])

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def finish(self) -> int:
        """Send the rest; the status of the answer, 0 where the connection was ended."""
        try:
            self.socket.sendall(self.body[1000:])
            return self.status()
        except OSError:
            return 0

    def status(self) -> int:
        answer = self.socket.recv(65536)
        return int(answer.split()[1]) if answer else 0


def test_many_slow_uploads_leave_the_site_to_others(site):
    content = encoded(drawn("green", size=(300, 200)))
    with ExitStack() as stack:
        ana, ben = site.tokens["ana"], site.tokens["ben"]
        held = [
            stack.enter_context(Upload(site, token, content))
            for token in (ana, ben)
            for _ in range(slow_clients.MOST_OF_ONE if token == ana else 2)
        ]
        time.sleep(1)
        began = time.monotonic()
        assert get(site, "/healthz") == 200
        assert get(site, "/api/v1/images/", ana) == 200
        assert time.monotonic() - began < 5
        for token, status in ((ana, 429), (site.tokens["carl"], 503)):  # one too many of hers; half of all
            with Upload(site, token, content) as refused:
                assert refused.status() == status
        statuses = [upload.finish() for upload in held]
    assert sorted(set(statuses)) == [200, 201]
    with Upload(site, ana, content) as again:
        assert again.finish() == 200


def test_a_stop_lets_an_upload_finish(site):
    content = encoded(drawn("blue", size=(301, 200)))
    with Upload(site, site.tokens["ben"], content) as upload:
        time.sleep(0.5)
        site.server.send_signal(signal.SIGTERM)
        timer = threading.Timer(2, lambda: None)
        timer.start()
        timer.join()
        assert upload.finish() == 201
    assert site.server.wait(10) == 0
    site.server = start(site)


def test_the_log_follows_a_request_and_tells_no_secrets(site):
    number = "from-the-proxy:1"
    get(site, "/api/v1/images/?q=secret-word", site.tokens["ana"], {"X-Request-ID": number})
    get(site, "/s/secret-of-a-link/")
    get(site, "/healthz", headers={"X-Request-ID": "not ok" * 30})
    lines = [
        line for line in (site.folder / "server.log").read_text().splitlines() if '"picfusion.access"' in line
    ]
    assert any(
        f'"request": "{number}", "person": "' in line and '"person": "-"' not in line for line in lines
    )
    assert not any("secret" in line or "not ok" in line for line in lines)
    assert any('"route": "/s/<slug:token>/"' in line for line in lines)
