"""The README's block for nginx works as it is printed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.nginx import NGINX, refused

ROOT = Path(__file__).resolve().parent.parent


def block() -> str:
    text = (ROOT / "README.md").read_text()
    [found] = re.findall(r"\n\n((?:    .*\n)*    server \{\n(?:    .*\n)+)", text)
    return re.sub(r"^    ", "", found, flags=re.MULTILINE)


def test_it_says_what_the_settings_need():
    text = block()
    for needed in (
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Host $host",
        "return 301 https://",
        "ssl_certificate ",
    ):
        assert needed in text


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_nginx_takes_it(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=pictures.example.org", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {key};", block())
    server = re.sub(r"ssl_certificate [^_].*;", f"ssl_certificate {certificate};", server)
    assert not refused(tmp_path, server)
