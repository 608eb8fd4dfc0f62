"""What browsers are told, and what settings are refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    "address", ["/", "/images/", "/accounts/login/", "/api/v1/images/", "/no/such/page", "/admin/"]
)
def test_every_answer_forbids_what_is_inline(page, address):
    answer = page.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "camera=()" in answer["Permissions-Policy"]


def test_pages_have_nothing_inline(page, photo):
    for address in (
        "/",
        "/?q=cat",
        "/?q=cat+%23espresso",
        "/images/",
        f"/images/{photo('coffee').pk}/",
        "/albums/",
    ):
        html = page.get(address).content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert "<script>" not in html


def test_the_description_of_the_api_is_for_people_who_signed_in(client, page, settings):
    assert page.get("/api/docs/").status_code == 200
    assert page.get("/api/docs/?script").status_code == 200
    assert b"<script>" not in page.get("/api/docs/").content
    client.logout()
    assert client.get("/api/schema/").status_code in (401, 403)


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ
        | {
            "PICFUSION_VAR_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
            "EXTRACTOR": "lite",
        }
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_check_for_deployment_finds_nothing(tmp_path):
    done = run(["check", "--deploy", "--fail-level", "WARNING"], tmp_path, HTTPS="on")
    assert (done.returncode, "no issues" in done.stdout + done.stderr) == (0, True), done.stderr
