"""`picfusion` on another machine: the real command, the real site, and a network that breaks."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.browser.running import BASE, Site, wait_for
from tests.conftest import demo_path, drawn, encoded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def picfusion(site: Site, home):
    """picfusion('albums') runs the command for somebody who is signed in: (exit code, its JSON)."""

    def run(*arguments, entered="", plain=False, **environment):
        command = [sys.executable, "-m", "picfusion_site.client", *map(str, arguments)]
        command += [] if plain else ["--json"]
        done = subprocess.run(
            command, cwd=BASE, input=entered, capture_output=True, text=True, timeout=240,
            env=os.environ | {"XDG_CONFIG_HOME": str(home), "HOME": str(home)} | environment,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout if plain else json.loads(done.stdout or "null")

    code, said = run("login", site.url, "--username", "admin", entered=f"{site.password}\n")
    assert (code, said["username"]) == (0, "admin")
    return run


def noise(path, side):
    """A picture that does not get smaller when it is compressed."""
    pixels = np.random.default_rng(random.randrange(2**31)).integers(0, 256, (side, side, 3), np.uint8)
    Pillow.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """Three pictures, of which one lies deeper, a text that pretends, and what is left out."""
    (tmp_path / "deeper").mkdir()
    for name in ("one.png", "two.png", "deeper/three.png"):
        (tmp_path / name).write_bytes(encoded(drawn(random.randrange(1, 2**24)), "PNG"))
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    (tmp_path / ".hidden.png").write_bytes(b"")
    return tmp_path


def test_a_folder_goes_up_once(picfusion, folder):
    album = f"Album {random.randrange(10**9)}"
    code, said = picfusion("upload", folder, "--album", album, "--tag", "from afar")
    results = {row["file"].removeprefix(f"{folder}/"): row["result"] for row in said["files"]}
    assert results == {
        "one.png": "added",
        "two.png": "added",
        "deeper/three.png": "added",
        "text.jpg": "failed",
    }
    assert "not a picture" in next(row["why"] for row in said["files"] if row["result"] == "failed")
    assert code == 1
    (folder / "text.jpg").unlink()
    code, said = picfusion("upload", folder, "--album", f"{album} again")
    assert (code, said["added"], said["there"]) == (0, 0, 3)
    counts = {own["title"]: own["pictures"] for own in picfusion("albums")[1]}
    assert (counts[album], counts[f"{album} again"]) == (3, 3)


def test_an_album_comes_down_and_only_what_is_missing(picfusion, folder, tmp_path):
    (folder / "text.jpg").unlink()
    album = f"Album {random.randrange(10**9)}"
    picfusion("upload", folder, "--album", album)
    target = tmp_path / "down"
    code, rows = picfusion("download", album, target)
    assert (code, {row["fetched"] for row in rows}) == (0, {True})
    names = {"one.png": "one.png", "two.png": "two.png", "three.png": "deeper/three.png"}
    for name, original in names.items():
        assert (target / name).read_bytes() == (folder / original).read_bytes()
    (target / "two.png").unlink()
    rows = picfusion("download", album, target)[1]
    assert sorted(row["fetched"] for row in rows) == [False, False, True]
    assert picfusion("download", "No such album")[0] == 1


def test_words_pictures_and_downloads(picfusion, tmp_path):
    def found():
        code, page = picfusion("search", "a kitten", "--limit", "1", "--download", tmp_path)
        return code == 0 and page["results"][0]["image"]["filename"] == "chelsea.png"

    wait_for(found)
    assert (tmp_path / "chelsea.png").read_bytes() == demo_path("chelsea").read_bytes()
    code, page = picfusion("search", "--image", demo_path("coffee"), "--limit", "1")
    assert (code, page["results"][0]["image"]["filename"]) == (0, "coffee.png")
    code, page = picfusion("search", "a cup of coffee", "--image", demo_path("coffee"), "--limit", "1")
    assert (code, page["results"][0]["image"]["filename"]) == (0, "coffee.png")
    assert picfusion("search", "#nosuchtagatall")[0] == 1


@contextmanager
def breaking(site: Site, after: int, times: int):
    """A way to the site that breaks so many times after so many bytes: (address, [bytes], [breaks])."""
    port = int(site.url.rpartition(":")[2])
    server, sent, broken = socket.create_server(("127.0.0.1", 0)), [0], [0]

    def pump(source, target, counts):
        own = 0
        try:
            while piece := source.recv(65536):
                own += len(piece)
                sent[0] += len(piece) if counts else 0
                if counts and own > after and broken[0] < times:
                    broken[0] += 1
                    break
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept():
        while True:
            try:
                visitor, _address = server.accept()
            except OSError:
                return
            onward = socket.create_connection(("127.0.0.1", port))
            for ends in ((visitor, onward, True), (onward, visitor, False)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", sent, broken
    finally:
        server.close()


def test_a_broken_connection_goes_on_at_its_byte(picfusion, site, tmp_path):
    path = noise(tmp_path / f"large{random.randrange(10**9)}.png", 2000)
    size = path.stat().st_size
    with breaking(site, after=4_000_000, times=2) as (address, sent, broken):
        code, said = picfusion("upload", path, PICFUSION_URL=address)
    assert (code, said["added"], broken[0]) == (0, 1, 2)
    target = tmp_path / "down"
    wait_for(lambda: picfusion("search", f"name:{path.stem}", "--download", target)[0] == 0)
    assert (target / path.name).read_bytes() == path.read_bytes()
    assert size > 10_000_000
    assert sent[0] < size * 1.5  # sent anew each time it would be 1.7 times


def test_a_body_of_unknown_length_is_refused_not_taken_for_empty(site, home):
    token = json.loads((home / "picfusion" / "picfusion.json").read_text())["token"]
    headers = {"Authorization": f"Token {token}", "Tus-Resumable": "1.0.0"}
    with httpx.Client(base_url=f"{site.url}/api/v1/", headers=headers) as http:
        begun = http.post("uploads/", headers={"Upload-Length": "3"})
        sent = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        answer = http.patch(begun.headers["Location"], headers=sent, content=iter([b"abc"]))
        assert (answer.status_code, answer.headers["Content-Type"]) == (411, "application/problem+json")
        assert http.delete(begun.headers["Location"]).status_code == 204


def test_what_scripts_can_tell(picfusion, home, tmp_path):
    assert picfusion("status")[1]["username"] == "admin"
    assert picfusion("status", PICFUSION_TOKEN="wrong")[0] == 3
    empty = tmp_path / "empty"
    assert picfusion("albums", XDG_CONFIG_HOME=str(empty))[0] == 3
    assert picfusion("upload", tmp_path / "nowhere")[0] == 2
    assert picfusion("search")[0] == 2
    assert (home / "picfusion" / "picfusion.json").stat().st_mode & 0o077 == 0
    wrong = picfusion(
        "login", "http://127.0.0.1:9", "--username", "x", entered="y\n", XDG_CONFIG_HOME=str(empty)
    )
    assert wrong[0] == 4
    nobody = picfusion("login", "http://127.0.0.1:9", XDG_CONFIG_HOME=str(empty))
    assert (nobody[0], nobody[1]["error"]) == (2, "Say who you are: --username.")


@pytest.mark.parametrize("content", ["[1]", '{"site": 5, "token": "x"}', "{"])
def test_a_damaged_configuration_is_mended_by_signing_in(picfusion, site, tmp_path, content):
    (tmp_path / "picfusion").mkdir()
    (tmp_path / "picfusion" / "picfusion.json").write_text(content)
    elsewhere = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert "is damaged: sign in anew" in picfusion("status", **elsewhere)[1]["error"]
    done = picfusion("login", site.url, "--username", "admin", entered=f"{site.password}\n", **elsewhere)
    assert (done[0], picfusion("status", **elsewhere)[0]) == (0, 0)


class _Page(BaseHTTPRequestHandler):
    """Another site, which answers everything with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, *_: object) -> None:
        pass


def test_what_cannot_be_is_a_sentence(picfusion, site, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        elsewhere = f"http://127.0.0.1:{server.server_port}"
        code, said = picfusion("albums", PICFUSION_URL=elsewhere, PICFUSION_TOKEN="x")
        assert (code, "is this a Picfusion site?" in said["error"]) == (4, True)
    finally:
        server.shutdown()
    assert picfusion("status", PICFUSION_TOKEN="schlüssel")[0] == 3
    for address in ("ftp://pictures.example.com", "http://", "http://host:port"):
        assert picfusion("login", address, "--username", "x", entered="y\n")[0] == 2
    wait_for(lambda: picfusion("search", "cat")[0] == 0)
    code, said = picfusion("search", "cat", "--download", "/proc/nowhere")
    assert (code, "/proc/nowhere" in said["error"]) == (1, True)
    (tmp_path / "one.png").write_bytes(encoded(drawn("red")))
    code, said = picfusion("upload", tmp_path, "--tag", "a,b")
    assert (code, "A tag has no comma" in said["error"]) == (2, True)
    assert picfusion("status", PICFUSION_URL="http://127.0.0.1:9")[0] == 4


def test_who_asks_is_not_kept_waiting_for_a_site_that_hangs_up(picfusion):
    """An upload goes on trying for longer."""
    calls = []

    def hang_up(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                calls.append(server.accept()[0].close())

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert picfusion("status", PICFUSION_URL=address)[0] == 4
        assert len(calls) == 3


def test_files_that_are_the_same_are_all_told(picfusion, tmp_path):
    content = encoded(drawn(random.randrange(1, 2**24)), "PNG")
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(content)
    code, said = picfusion("upload", tmp_path)
    assert (code, [row["result"] for row in said["files"]]) == (0, ["added", "there", "there"])
    assert len({row["image_id"] for row in said["files"]}) == 1
    code, said = picfusion("upload", tmp_path)
    assert (code, said["there"], len(said["files"])) == (0, 3, 3)


def test_tokens_are_made_and_revoked(picfusion):
    code, made = picfusion("tokens", "--new", "cron", "--read-only")
    assert picfusion("status", PICFUSION_TOKEN=made["key"])[0] == 0
    assert code == picfusion("tokens", "--revoke", made["id"])[0] == 0
    assert picfusion("status", PICFUSION_TOKEN=made["key"])[0] == 3


def test_a_watched_folder(picfusion, site, home, tmp_path):
    """What comes later goes up, too; Ctrl-C ends it."""
    command = [sys.executable, "-m", "picfusion_site.client", "upload", "--watch", "--json", str(tmp_path)]
    environment = os.environ | {"XDG_CONFIG_HOME": str(home)}
    with subprocess.Popen(command, cwd=BASE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        (tmp_path / "later.png").write_bytes(encoded(drawn(random.randrange(1, 2**24)), "PNG"))
        row = json.loads(process.stdout.readline())
        assert (row["result"], row["file"]) == ("added", str(tmp_path / "later.png"))
        process.terminate()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(picfusion, shell):
    code, script = picfusion("completion", shell, plain=True)
    assert code == 0
    assert "upload" in script
    if shell == "bash":
        typed = f"{script}\nCOMP_WORDS=(picfusion up) COMP_CWORD=1; _picfusion; echo ${{COMPREPLY[@]}}"
        assert (
            subprocess.run(["bash", "-c", typed], capture_output=True, text=True).stdout.strip() == "upload"
        )
        typed = typed.replace("(picfusion up) COMP_CWORD=1", "(picfusion completion z) COMP_CWORD=2")
        assert subprocess.run(["bash", "-c", typed], capture_output=True, text=True).stdout.strip() == "zsh"


def test_it_needs_nothing_of_the_site():
    code = (
        "import sys, picfusion_site.client.main; sys.exit(any(n in sys.modules for n in ('django', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=BASE).returncode == 0
