"""What is wrong is said before anything starts, and while it runs."""

import errno
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from gallery.files.storage import DurableStorage
from gallery.models import Image, WorkerState
from gallery.tasks import enqueue
from picfusion_site import health
from search.live_index import live_index
from tests.browser.running import wait_for
from tests.conftest import drawn, encoded, upload

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    own = {
        "PICFUSION_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
        "EXTRACTOR": "lite",
    }
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | own | environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("var")
    assert run("manage.py", "migrate", "-v0", folder=folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HTTPS", "enabled", "HTTPS must be on or off, not 'enabled'."),
        ("DEBUG", "maybe", "DEBUG must be on or off"),
        ("QUOTA_MB", "-5", "QUOTA_MB must be a whole number of at least 1"),
        ("MAX_UPLOAD_MB", "a lot", "MAX_UPLOAD_MB must be a whole number"),
        (
            "EXTRACTION_BATCH_SIZE",
            "0",
            "EXTRACTION_BATCH_SIZE must be a whole number of at least 1, not '0'.",
        ),
        ("DECODE_SECONDS", "1e3", "DECODE_SECONDS must be"),
        ("EXTRACTOR", "best", "EXTRACTOR must be one of"),
        ("TIME_ZONE", "Mars/Base", "TIME_ZONE"),
        ("TRUSTED_PROXIES", "10.0.0.1,banana", "TRUSTED_PROXIES must be addresses or networks"),
        ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES must be addresses or networks"),
        ("ALLOWED_HOSTS", "https://photos.example.com/", "ALLOWED_HOSTS must be names like"),
        ("PORT", "99999", "PORT must be at most 65535, not '99999'."),
        ("PORT", "web", "PORT must be a whole number"),
        ("WEB_CONCURRENCY", "-1", "WEB_CONCURRENCY must be a whole number of at least 1"),
        ("SCRIPT_NAME", "pics", "SCRIPT_NAME must be a path like /pics, not 'pics'."),
        ("EMAIL_URL", "foo", "EMAIL_URL must be like smtp"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of"),
        ("MAIL_FROM", "Picfusion", "MAIL_FROM must be like Picfusion <photos@example.com>, not 'Picfusion'."),
        ("CLIP_MODEL", "a model", "CLIP_MODEL must be a model's name like"),
        ("PICFUSION_MODELS_DIR", "models", "PICFUSION_MODELS_DIR must be a folder like"),
        ("PICFUSION_MODELS_DIR", "/dev/null", "PICFUSION_MODELS_DIR must be a folder like"),
        ("CACHE_URL", "redis://", "CACHE_URL must name a server"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, name, value, sentence):
    done = run("manage.py", "check", folder=tmp_path, **{name: value})
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_no_setting_has_is_refused(tmp_path):
    from django.core.exceptions import ImproperlyConfigured

    from picfusion_site.environment import Environment

    file = tmp_path / ".env"
    file.write_text("# A comment\nHTTPS=on\nexport MAX_UPLOAD=5\nPORT=8001\n")
    before = dict(os.environ)
    try:
        env = Environment(file)
        env.bool("HTTPS")
        with pytest.raises(ImproperlyConfigured, match="sets MAX_UPLOAD, which is no setting"):
            env.refuse_unknown()
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_a_folder_that_everybody_may_read_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    done = run("manage.py", "check", folder=tmp_path)
    assert done.returncode != 0
    assert f"chmod o-rwx {tmp_path}" in done.stderr


def test_a_command_without_tables_says_so_in_a_line(tmp_path):
    done = run("manage.py", "rebuild_index", folder=tmp_path)
    assert done.returncode != 0
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


GUNICORN = ("-m", "gunicorn", "picfusion_site.wsgi", "--config", "picfusion_site/gunicorn.py")


@pytest.mark.parametrize("command", [GUNICORN, ("manage.py", "worker")], ids=["web", "worker"])
def test_neither_starts_on_an_older_or_a_newer_database(migrated, tmp_path, command):
    done = run(*command, folder=tmp_path, PORT="0")
    assert done.returncode != 0
    assert "The database is older than this code." in done.stderr
    with sqlite3.connect(migrated / "picfusion.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('gallery', '9999_future', '2030')"
        )
    try:
        done = run(*command, folder=migrated, PORT="0")
    finally:
        with sqlite3.connect(migrated / "picfusion.sqlite3") as database:
            database.execute("DELETE FROM django_migrations WHERE name = '9999_future'")
    assert done.returncode != 0
    assert "newer than this code (it has gallery.9999_future)" in done.stderr


@pytest.fixture
def beating(db):
    return WorkerState.objects.create(machine="here", beat_at=timezone.now())


def test_ready_when_everything_is(client, beating):
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()["checks"]) == {
        "database",
        "migrations",
        "worker",
        "queue",
        "index",
        "disk",
        "weights",
    }


def test_what_is_not_ready_is_named(client, beating, settings):
    WorkerState.objects.update(beat_at=timezone.now() - timedelta(minutes=5))
    settings.MIN_FREE_MB = 10**9
    answer = client.get("/readyz")
    bad = {name for name, check in answer.json()["checks"].items() if not check["ok"]}
    assert (answer.status_code, bad) == (503, {"worker", "disk"})
    assert client.get("/healthz").status_code == 200


def test_tasks_that_wait_are_looked_at(client, beating):
    enqueue()
    assert client.get("/readyz").status_code == 200
    OrmQ.objects.create(key="picfusion", payload="of another key")
    assert client.get("/readyz").status_code == 200
    task = OrmQ.objects.order_by("pk").first()
    package = task.task | {"started": timezone.now() - timedelta(hours=1)}
    OrmQ.objects.filter(pk=task.pk).update(payload=SignedPackage.dumps(package))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["queue"]["ok"]) == (503, False)


def test_an_index_that_this_process_has_not_opened_is_not_behind(client, beating, monkeypatch):
    monkeypatch.setattr(health, "BEHIND", 0)
    Image.objects.update(caption="changed")
    live_index.forget()
    assert client.get("/readyz").status_code == 200
    with live_index.open():
        pass
    Image.objects.update(caption="changed again")
    assert client.get("/readyz").status_code == 503


def test_a_full_disk_takes_no_pictures_and_says_so(page, api, settings):
    settings.MIN_FREE_MB = 10**9
    content = encoded(drawn("green"))
    answer = api.post("/api/v1/images/", {"file": upload(content)})
    assert (answer.status_code, "disk is full" in answer.json()["errors"][0]["detail"]) == (507, True)
    answer = page.post("/upload/", {"files": [upload(content)]})
    assert answer.status_code == 400
    assert "disk is full" in answer.content.decode()
    assert page.get("/?q=cat").status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), 503, "write to its folder"),
        (OperationalError("database is locked"), 503, "busy or out of reach"),
        (OperationalError("database or disk is full"), 507, "disk is full"),
        (ZeroDivisionError(), 500, "its own fault"),
    ],
)
def test_what_fails_on_the_server_has_its_own_answer(page, api, monkeypatch, error, status, sentence):
    def fail(*_):
        raise error

    monkeypatch.setattr(DurableStorage, "_save", fail)
    before = Image.objects.count()
    page.raise_request_exception = api.raise_request_exception = False
    answer = page.post("/upload/", {"files": [upload(encoded(drawn("green")))]})
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True)
    answer = api.post("/api/v1/images/", {"file": upload(encoded(drawn("green")))})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert sentence in answer.json()["detail"]
    assert Image.objects.count() == before


def test_prometheus_gets_its_numbers_and_nobody_else(client, curator, administrator, settings):
    settings.METRICS_TOKEN = "secret-of-the-monitor"
    client.force_login(curator)
    image = Image.objects.filter(status="ready").first().pk
    for asked in ("q=cat", "q=%23espresso", f"image={image}", f"q=cat&image={image}", "q=color:red"):
        client.get(f"/?{asked}")
    assert client.get("/metrics").status_code == 404
    client.logout()
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret-of-the-monitor"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'picfusion_pictures{status="ready"} 21.0' in text
    assert 'picfusion_requests_total{status="200",view="search"}' in text
    assert "picfusion_process_memory_bytes" in text
    assert "picfusion_read_per_minute" in text
    for kind in ("text", "tags", "picture", "mix", "filters"):
        assert f'picfusion_search_seconds_count{{kind="{kind}"}}' in text
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    client.force_login(administrator)
    assert client.get("/metrics").status_code == 200


def test_below_a_path_everything_is_found_there(migrated):
    """The address of every file, link and form of an error page and of the sign-in page begins with it."""
    script = (
        "import os, re, django; django.setup()\n"
        "from django.core.handlers.wsgi import WSGIHandler\n"
        "from django.test import RequestFactory\n"
        "from django.urls import set_script_prefix\n"
        "from picfusion_site.wsgi import application\n"
        "def get(path):\n"
        "    environ = RequestFactory(SCRIPT_NAME='/pics').get(path).environ | {'SCRIPT_NAME': '/pics'}\n"
        "    environ['PATH_INFO'] = path\n"
        "    environ['HTTP_ACCEPT_ENCODING'] = 'identity'\n"
        "    status = []\n"
        "    body = b''.join(application(environ, lambda s, h: status.append((s, dict(h)))))\n"
        "    return status[0], body.decode()\n"
        "for path in ('/no/such/page', '/accounts/login/'):\n"
        "    _, html = get(path)\n"
        '    found = re.findall(\'(?:href|src|action)="(/[^"]*)"\', html)\n'
        "    assert found and all(address.startswith('/pics/') for address in found), found\n"
        "(status, headers), _ = get('/')\n"
        "assert headers['Location'].startswith('/pics/accounts/login/'), headers\n"
        "(status, _), body = get('/api/v1/no/such')\n"
        "assert status.startswith('404') and body.startswith('{'), body\n"
    )
    assert run("manage.py", "collectstatic", "--no-input", "-v0", folder=migrated).returncode == 0
    done = run("-c", script, folder=migrated, SCRIPT_NAME="/pics", ALLOWED_HOSTS="testserver")
    assert done.returncode == 0, done.stderr


def test_beside_the_path_there_is_nothing(tmp_path):
    """The real server, for gunicorn itself would answer 500."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    assert run("manage.py", "migrate", "-v0", folder=folder).returncode == 0
    assert run("manage.py", "collectstatic", "--no-input", "-v0", folder=folder).returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"PICFUSION_VAR_DIR": str(folder), "SCRIPT_NAME": "/pics/", "PORT": str(port), "EXTRACTOR": "lite"}
    own["DJANGO_SETTINGS_MODULE"] = "picfusion_site.settings"
    command = ["-m", "gunicorn", "picfusion_site.wsgi", "--config", "picfusion_site/gunicorn.py"]
    server = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=os.environ | own)

    def status(path: str) -> int:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20).status
        except urllib.error.HTTPError as error:
            return error.code

    try:
        wait_for(lambda: status("/pics/healthz") == 200, 60)
        beside = [status(path) for path in ("/", "/healthz", "/pics2/healthz", "/picshealthz", "/api/v1/me/")]
        assert beside == [404] * 5
        assert status("/pics/accounts/login/") == 200
    finally:
        server.terminate()
        server.wait(30)
