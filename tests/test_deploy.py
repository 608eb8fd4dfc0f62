"""The files in deploy/, compose.yaml and the Dockerfile say what the settings and the commands are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.nginx import NGINX, refused

ROOT = Path(__file__).resolve().parent.parent
SYSTEMD = shutil.which("systemd-analyze")
SETTINGS = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


@pytest.fixture
def services() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_both_profiles_are_complete(services):
    kinds = {
        profile: {n for n, own in services.items() if own["profiles"] == [profile]}
        for profile in ("one", "many")
    }
    assert kinds["one"] == {"prepare", "web", "worker"}
    assert kinds["one"] | kinds["many"] == services.keys()
    assert {"postgres", "valkey", "store", "qdrant", "web-1", "web-2", "worker-1", "worker-2"} <= kinds[
        "many"
    ]
    for name in services:
        for needed in services[name].get("depends_on", ()):
            assert services[needed]["profiles"] == services[name]["profiles"], (name, needed)


def test_what_runs_picfusion_is_given_settings_that_exist_and_may_do_little(services):
    own = [service for service in services.values() if service.get("image") == "picfusion"]
    assert len(own) == 8
    for service in own:
        assert service["environment"].keys() <= SETTINGS
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert len({str(services[n]["volumes"]) for n in ("web-1", "web-2", "worker-1", "worker-2")}) == 4


def test_the_image_runs_as_nobody_in_particular():
    text = (ROOT / "Dockerfile").read_text()
    names = set(re.findall(r"\b([A-Z_]+)=", re.findall(r"^ENV (PATH.*)$", text, re.MULTILINE)[0]))
    assert names - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} <= SETTINGS
    assert text.index("\nUSER picfusion") < text.index("\nCMD ")
    for file in re.findall(r"-r (\S+\.(?:txt|lock))", text):
        assert (ROOT / file).exists()


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_nginx_takes_the_file_for_many_machines(tmp_path):
    server = (ROOT / "deploy" / "nginx-many.conf").read_text()
    server = re.sub(r"server web-(\d):", r"server 127.0.0.\1:", server)
    assert not refused(tmp_path, server)


@pytest.mark.skipif(not SYSTEMD, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["picfusion-web", "picfusion-worker"])
def test_systemd_takes_the_units(tmp_path, name):
    text = (ROOT / "deploy" / f"{name}.service").read_text()
    unit = tmp_path / f"{name}.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run([SYSTEMD, "verify", str(unit)], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if name in line]
    assert not wrong
