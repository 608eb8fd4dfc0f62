"""The main job on the real site: web and worker as processes, by HTTP as other programs do it."""

import json
import threading
import time
import urllib.error
import urllib.request

import pytest

from tests.browser.running import Site, wait_for
from tests.conftest import demo_path, drawn, encoded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def call(site: Site):
    """call('GET', '/images/') is the API's answer to the administrator, as (status, JSON)."""

    def request(method: str, path: str, data=None, token: str = ""):
        headers = {"Authorization": f"Token {token}"} if token else {}
        body = None
        if isinstance(data, bytes):
            boundary = b"picfusion-boundary"
            body = (
                b'--%s\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\n\r\n'
                b"%s\r\n--%s--\r\n"
                % (
                    boundary,
                    data,
                    boundary,
                )
            )
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary.decode()}"
        elif data is not None:
            body, headers["Content-Type"] = json.dumps(data).encode(), "application/json"
        call = urllib.request.Request(f"{site.url}/api/v1{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(call) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    _, answer = request("POST", "/token/", {"username": "admin", "password": site.password})
    return lambda method, path, data=None: request(method, path, data, answer["token"])


def test_the_demo_pictures_become_searchable(call):
    wait_for(lambda: call("GET", "/images/?status=ready")[1]["count"] >= 21)
    _, answer = call("POST", "/search/", {"text": "a kitten", "limit": 1})
    assert answer["results"][0]["image"]["filename"] == "chelsea.png"


def test_an_upload_is_found_within_a_second_of_being_ready(call):
    wait_for(lambda: call("GET", "/images/?status=ready")[1]["count"] >= 21)
    content = demo_path("coffee").read_bytes() + b" "
    status, image = call("POST", "/images/", content)
    assert status == 201
    wait_for(lambda: call("GET", f"/images/{image['id']}/")[1]["status"] == "ready")
    began = time.monotonic()
    _, answer = call("POST", "/search/", {"tags": ["espresso"]})
    assert time.monotonic() - began < 1
    assert image["id"] in [result["image"]["id"] for result in answer["results"]]


def test_the_same_file_sent_at_once_becomes_one_picture(call):
    content, statuses = encoded(drawn("crimson")), []
    threads = [
        threading.Thread(target=lambda: statuses.append(call("POST", "/images/", content)[0]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 200, 200, 201]


def test_searches_uploads_and_reading_go_on_side_by_side(call):
    """Threads share the models and the index, and writers queue for the database; nobody gets an error."""
    statuses = []

    def work(number: int):
        for step in range(4):
            statuses.append(call("POST", "/images/", encoded(drawn((number * 40, step * 60, 7))))[0])
            statuses.append(
                call("POST", "/search/", {"text": f"word {number} {step}", "tags": ["espresso"]})[0]
            )
            statuses.append(call("GET", "/images/?limit=5")[0])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 201}
    waiting = ("pending", "processing")
    wait_for(lambda: all(call("GET", f"/images/?status={status}")[1]["count"] == 0 for status in waiting))
    assert call("GET", "/images/?status=failed")[1]["count"] == 0


def test_a_second_first_run_changes_nothing(site, call):
    before = call("GET", "/images/")[1]["count"]
    output = site.manage("first_run")
    assert "password" not in output
    assert "imported" not in output
    assert call("GET", "/images/")[1]["count"] == before
