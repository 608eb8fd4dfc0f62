"""Two web and two worker machines, processes with folders of their own, share database, store and cache."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from gallery import demo
from tests.browser.running import wait_for
from tests.conftest import ON_ONE_MACHINE
from tests.servers import free_port

pytestmark = pytest.mark.skipif(ON_ONE_MACHINE, reason="there is one machine")
ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = """
from django.contrib.auth.models import User
from gallery import access_tokens
for name in ("ana", "ben"):
    print(access_tokens.create(User.objects.create_user(name, password=name + "-password"), "test")[1])
"""


class Machine:
    """One machine's folder, and its process."""

    def __init__(self, var: Path, *command: str) -> None:
        var.mkdir(mode=0o700)
        self.port = free_port()
        self.command = [sys.executable, *command]
        self.environment = os.environ | {
            "PICFUSION_VAR_DIR": str(var),
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
        }
        self.process: subprocess.Popen | None = None

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=self.environment, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/api/v1/",
            headers={"Authorization": f"Token {token}"},
            timeout=60,
        )


@pytest.fixture(scope="module")
def machines(tmp_path_factory) -> Iterator[dict[str, Machine]]:
    folder = tmp_path_factory.mktemp("machines")
    web = ("-m", "gunicorn", "picfusion_site.wsgi", "--config", "picfusion_site/gunicorn.py")
    found = {name: Machine(folder / name, *web) for name in ("web-1", "web-2")}
    found |= {name: Machine(folder / name, "manage.py", "worker") for name in ("worker-1", "worker-2")}
    found["web-1"].manage("migrate")
    for machine in found.values():
        machine.start()
    try:
        for name in ("web-1", "web-2"):
            address = f"http://127.0.0.1:{found[name].port}/healthz"
            wait_for(lambda address=address: urllib.request.urlopen(address).status == 200, 60)
        yield found
    finally:
        for machine in found.values():
            if machine.process:
                machine.kill()


@pytest.fixture(scope="module")
def people(machines) -> list[str]:
    """The tokens of ana and ben."""
    return machines["web-1"].manage("shell", "-c", PEOPLE).split()[-2:]


def send(client: httpx.Client, path: Path, more: bytes = b"") -> int:
    content = path.read_bytes() + more
    answer = client.post("images/", files={"file": (path.name, content, "image/png")})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


def found(client: httpx.Client, text: str) -> list[int]:
    answer = client.post("search/", json={"text": text})
    if answer.status_code == 503:
        raise OSError("getting ready")
    assert answer.status_code == 200, answer.text
    return [result["image"]["id"] for result in answer.json()["results"]]


def is_ready(client: httpx.Client, pk: int) -> bool:
    return client.get(f"images/{pk}/").json()["status"] == "ready"


def test_what_one_machine_is_told_the_other_knows(machines, people):
    ana, ben = people
    one, two, as_ben = (
        machines["web-1"].client(ana),
        machines["web-2"].client(ana),
        machines["web-2"].client(ben),
    )
    coffee = send(one, next(path for path in demo.photos() if path.name.startswith("coffee")))
    wait_for(lambda: is_ready(two, coffee), 120)
    began = time.monotonic()
    wait_for(lambda: coffee in found(two, "espresso"), 60)
    assert found(two, "espresso") == found(one, "espresso") == [coffee]
    tag = one.post("images/bulk/", json={"image_ids": [coffee], "action": "tag", "tag": "breakfast"})
    assert tag.status_code == 200, tag.text
    began = time.monotonic()
    wait_for(lambda: two.post("search/", json={"tags": ["breakfast"]}).json()["count"] == 1, 10)
    assert time.monotonic() - began < 2
    album = one.post("albums/", json={"title": "Shared"}).json()["id"]
    put = one.post("images/bulk/", json={"image_ids": [coffee], "action": "add", "album_id": album})
    assert put.status_code == 200, put.text
    ben_is = one.post(f"albums/{album}/members/", json={"username": "ben", "role": "viewer"}).json()["id"]
    wait_for(lambda: found(as_ben, "espresso") == [coffee], 2)  # the engine may be told a moment later
    assert one.delete(f"albums/{album}/members/{ben_is}/").status_code == 204
    assert found(as_ben, "espresso") == []
    assert as_ben.get(f"images/{coffee}/").status_code == 404
    assert as_ben.get(f"images/{coffee}/thumbnails/small/").status_code == 404


def test_whichever_is_killed_nothing_is_lost(machines, people):
    one, two = machines["web-1"].client(people[0]), machines["web-2"].client(people[0])
    sent = [send(one, path, b"\0" * (n + 1)) for n in range(2) for path in demo.photos()[:10]]
    machines["worker-1"].kill()  # with a batch in its hands
    machines["web-1"].kill()
    sent += [send(two, path, b"\0" * 5) for path in demo.photos()[:4]]
    machines["worker-1"].start()  # what it held is given back at once
    for pk in sent:
        wait_for(lambda pk=pk: is_ready(two, pk), 180)
    wait_for(lambda: two.post("search/", json={"text": "a thing", "limit": 100}).json()["count"] == 25, 20)
    originals = [two.get(f"images/{pk}/original/") for pk in sent]
    assert all(answer.status_code == 200 and answer.content for answer in originals)
