"""The main path in Firefox: what Chromium forgives, and what only Firefox shows, are found here."""

import random
import shutil

import pytest

from tests.browser.firefox import ENTER, firefox
from tests.browser.running import wait_for
from tests.conftest import drawn, encoded

pytestmark = pytest.mark.browser
ESCAPE = "\ue00c"
RIGHT = "\ue014"
FIRST_ALT = "document.querySelector('#grid .tile img')?.alt"
VIEWER = "document.readyState === 'complete' && document.querySelector('.stage') && "


@pytest.fixture(scope="module")
def window(site, tmp_path_factory):
    """A window whose person is signed in; at the end no page had an error in its console."""
    if not (shutil.which("firefox-esr") or shutil.which("firefox")):
        pytest.skip("Firefox is not installed")
    code = "from gallery.models import Image; print('left', Image.objects.filter(status='pending').count())"
    wait_for(lambda: "left 0" in site.manage("shell", "--verbosity", "0", "-c", code))
    with firefox(tmp_path_factory.mktemp("firefox")) as window:
        window.go(f"{site.url}/accounts/login/")
        window.type("admin", "#id_username")
        window.type(site.password + ENTER, "#id_password")
        window.wait_for("location.pathname === '/' && document.readyState === 'complete'")
        yield window
        assert window.errors == []


def test_a_word_finds_its_picture_and_a_key_leads_there_and_back(window, site):
    window.go(site.url)
    window.type("a kitten" + ENTER, "#q")
    assert "cat" in window.wait_for(f"location.search.includes('kitten') && {FIRST_ALT}")
    assert window.run("document.title").startswith("a kitten, 1 picture")
    window.click("#grid .tile a")
    window.wait_for(VIEWER + "location.search.includes('in=search')")
    window.type(ESCAPE)
    window.wait_for("location.pathname === '/' && document.querySelector('#grid .tile')")
    assert "q=a+kitten" in window.run("location.search")


def test_the_viewer_goes_on_by_key(window, site):
    window.go(f"{site.url}/images/")
    window.click("#grid .tile a")
    window.wait_for(VIEWER + "true")
    first = window.run("location.pathname")
    window.type(RIGHT)
    window.wait_for(f"{VIEWER}location.pathname !== {first!r}")


def test_an_uploaded_picture_is_found(window, site, tmp_path):
    name = f"firefox-{random.randrange(10**9)}"
    (tmp_path / f"{name}.png").write_bytes(encoded(drawn(random.randrange(1, 2**24)), "PNG"))
    window.go(f"{site.url}/upload/")
    window.choose_files("input[type=file]", tmp_path / f"{name}.png")
    window.wait_for("!!document.querySelector('[data-these]:not([hidden])')")  # offered at the end

    def is_found():
        window.go(f"{site.url}/?q=name:{name}")
        return window.run("!!document.querySelector('#grid .tile')")

    wait_for(is_found)


def test_alternative_texts_are_readable_over_any_tile(window, site):
    """While pictures load Firefox shows them; they had the links' blue on the picture's own colour."""
    window.go(f"{site.url}/images/")
    style = window.run(
        "(({ color, textShadow }) => [color, textShadow])(getComputedStyle("
        "document.querySelector('#grid .tile img')))"
    )
    assert style[0] == "rgb(255, 255, 255)"
    assert style[1].count("rgb(0, 0, 0)") == 3


@pytest.mark.parametrize("address", ["/", "/?q=cat", "/images/", "/albums/", "/tags/", "/upload/", "/help/"])
def test_nothing_is_wider_than_a_phone(window, site, address):
    window.size(390, 844)
    window.go(site.url + address)
    width = window.run("document.documentElement.scrollWidth")
    window.size(1200, 800)
    assert width <= 390
