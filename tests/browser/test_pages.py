"""The main path as a person walks it, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import wait_for
from tests.conftest import demo_path

pytestmark = pytest.mark.browser


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visitor(request, site, chromium):
    """A page of a signed-in administrator; at the end there was no console error and no failed request."""
    context = chromium.new_context(java_script_enabled=request.param, base_url=site.url, accept_downloads=True)
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: problems.append(response.url) if response.status >= 400 else None)
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield page
    context.close()
    assert problems == []


def test_upload_then_search_in_every_way(visitor):
    page = visitor
    page.get_by_role("link", name="Upload").first.click()
    page.get_by_label("Pictures").set_input_files([demo_path("chelsea"), demo_path("rocket")])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("You have this picture already.")).to_have_count(2)

    def ready():
        page.goto("/")
        return page.locator(".badge").count() == 0 and page.locator(".tile").count() > 10

    wait_for(ready)
    page.get_by_label("Search for").fill("a kitten")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"/\?q=a\+kitten$"))
    expect(page.locator(".result img").first).to_have_attribute("alt", "chelsea.png")

    if page.locator("[role=combobox]").count():  # made by the script
        page.get_by_label("Search for").fill("")
        page.get_by_label("Search for").press_sequentially("cup -#esp")
        expect(page.get_by_role("option", name="#espresso")).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Search for")).to_have_value("cup -#espresso ")
    page.get_by_label("Search for").fill("#espresso")
    page.keyboard.press("Enter")
    expect(page.locator(".result img").first).to_have_attribute("alt", re.compile("coffee|p.png"))
    expect(page.locator(".matched").first).to_have_text("#espresso")

    page.get_by_label("Search for").fill("")
    page.locator("input[name=file]").set_input_files(demo_path("flower"))
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".result img").first).to_have_attribute("alt", "flower.jpg")
    expect(page.locator(".chip img")).to_have_count(1)

    page.get_by_label("Search for").fill("temple")  # the picture stays in the query: a mix
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".chip img")).to_have_count(1)
    expect(page.locator(".part.text").first).to_be_visible()
    expect(page.locator(".part.image").first).to_be_visible()


def test_one_picture_and_back(visitor):
    page = visitor
    page.goto("/?q=space+launch")
    page.locator(".result .tile").first.click()
    expect(page.get_by_role("heading", name="rocket.jpg")).to_be_visible()
    expect(page.get_by_role("heading", name="Similar pictures")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original", exact=True).click()
    assert download.value.suggested_filename == "rocket.jpg"
    assert download.value.path().read_bytes() == demo_path("rocket").read_bytes()
    page.get_by_role("link", name="Search by this picture").click()
    expect(page.locator(".result img").first).to_have_attribute("alt", "rocket.jpg")
    page.go_back()
    expect(page.get_by_role("heading", name="rocket.jpg")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_no_page_is_wider_than_its_window(visitor, width):
    page = visitor
    page.set_viewport_size({"width": width, "height": 900})
    for address in ("/", "/?q=animal", "/images/", "/images/1/", "/upload/", "/accounts/password/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        box = page.locator("main").bounding_box()
        assert box["x"] + box["width"] <= width + 1
        for tile in page.locator("img").all():
            inner = tile.bounding_box()
            assert inner is None or inner["x"] + inner["width"] <= width + 1, (address, inner)
