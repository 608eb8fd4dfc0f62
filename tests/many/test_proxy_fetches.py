"""With PROXY_FETCHES nginx sends originals from the object store, and only to those who may have them."""

import hashlib
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from gallery import ingest
from tests.browser.running import wait_for
from tests.conftest import ON_ONE_MACHINE, drawn, encoded
from tests.nginx import NGINX, configuration
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(ON_ONE_MACHINE, reason="files are on this machine's disk"),
    pytest.mark.skipif(not NGINX, reason="nginx is not installed"),
]


@pytest.fixture
def proxy(live_server, tmp_path, settings):
    """deploy/nginx-many.conf before the test's own server; its address."""
    settings.PROXY_FETCHES = True
    settings.ALLOWED_HOSTS = ["*"]
    port = free_port()
    text = (ROOT / "deploy" / "nginx-many.conf").read_text()
    own = urlsplit(live_server.url).port
    text = re.sub(r"server web-1:8000.*\n", f"server 127.0.0.1:{own};\n", text)
    text = re.sub(r"server web-2:8000.*\n", "", text).replace("listen 80;", f"listen 127.0.0.1:{port};")
    path = configuration(tmp_path, text)
    process = subprocess.Popen([NGINX, "-g", "daemon off;", "-c", str(path)])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: urllib.request.urlopen(address + "/healthz").status == 200, 20)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def fetch(address: str, client: Client, **headers: str):
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookies, **headers}))


def test_an_original_comes_from_the_store_and_to_its_owner_alone(proxy, django_user_model):
    owner = django_user_model.objects.create_user("owner", password="owner-password")
    stranger = django_user_model.objects.create_user("stranger", password="stranger-password")
    content = encoded(drawn("teal"))
    image = ingest.add(owner, ContentFile(content, name="Öl & Teal.png")).image
    own, other = Client(), Client()
    own.force_login(owner)
    other.force_login(stranger)
    address = f"{proxy}/images/{image.pk}/original"
    answer = fetch(address, own)
    assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(content).digest()
    assert answer.headers["Content-Type"] == "image/png"
    assert "filename*=utf-8''%C3%96l" in answer.headers["Content-Disposition"]
    assert "X-Accel-Redirect" not in answer.headers
    part = fetch(address, own, Range="bytes=10-19")
    assert (part.status, part.read()) == (206, content[10:20])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(address, other)
    inner = f"{proxy}/-/stored/http/127.0.0.1/anything"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(inner, own)
