"""A client that openapi-python-client makes of the API's description works as it comes."""

import importlib
import io
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.running import BASE, wait_for
from tests.conftest import demo_path, drawn, encoded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(site, tmp_path_factory):
    """made('v1_search_create') is a module of the client that was made just now."""
    folder = tmp_path_factory.mktemp("client")
    site.manage("spectacular", "--file", str(folder / "schema.yml"))
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--meta", "none"]
    command += ["--path", str(folder / "schema.yml"), "--output-path", str(folder / "pictures")]
    done = subprocess.run(command, cwd=BASE, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"pictures.{name}")
    sys.path.remove(str(folder))


def test_the_main_job_by_a_generated_client(made, site):
    models, types, clients = made("models"), made("types"), made("client")

    def call(name, body=types.UNSET, client=None, **parameters):
        given = parameters if body is types.UNSET else parameters | {"body": body}
        return made(f"api.v1.{name}").sync_detailed(client=client or signed_in, **given)

    credentials = models.ThrottledTokenRequest(username="admin", password=site.password)
    anybody = clients.Client(base_url=site.url)
    token = call("v1_token_create", credentials, anybody).parsed.token
    signed_in = clients.AuthenticatedClient(base_url=site.url, token=token)

    content = encoded(drawn(random.randrange(1, 2**24)), "PNG")
    file = types.File(payload=io.BytesIO(content), file_name="made.png", mime_type="image/png")
    uploaded = call("v1_images_create", models.UploadRequest(file=file, tags="by a client")).parsed
    assert uploaded.filename == "made.png"
    wait_for(lambda: call("v1_images_retrieve", id=uploaded.id).parsed.status == "ready")

    def is_found(body, name):
        results = call("v1_search_create", body).parsed.results
        return results and results[0].image.filename == name

    wait_for(lambda: is_found(models.SearchWithoutFilesRequest(text="a kitten"), "chelsea.png"))
    wait_for(lambda: is_found(models.SearchWithoutFilesRequest(tags=["by a client"]), "made.png"))
    photo = types.File(payload=io.BytesIO(demo_path("coffee").read_bytes()), file_name="c.png")
    assert is_found(models.SearchRequest(image=[photo]), "coffee.png")

    album = call("v1_albums_create", models.AlbumRequest(title=f"Made {time.time()}")).parsed
    call("v1_albums_images_create", models.AlbumImageRequest(image_id=uploaded.id), id=album.id)
    listed = call("v1_albums_images_list", id=album.id).parsed
    assert [image.id for image in listed.results] == [uploaded.id]
    assert call("v1_images_original_retrieve", id=uploaded.id).content == content
    assert call("v1_albums_download_retrieve", id=album.id).content.startswith(b"PK")
    wrong = call("v1_search_create", models.SearchWithoutFilesRequest(limit=0))
    assert (wrong.status_code, wrong.parsed.errors[0].field) == (400, "limit")
