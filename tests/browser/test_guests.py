"""What somebody sees who was sent a link, with the same viewer as everybody."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.running import all_ready, sign_in, wait_for
from tests.browser.test_pages import watched
from tests.conftest import demo_path

pytestmark = pytest.mark.browser
PHONE = {"is_mobile": True, "has_touch": True, "viewport": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def shared(site, chromium):
    """The address of a link to an album of four pictures, which guests may download, and add to."""
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    page.goto("/images/")
    for pick in page.locator(".pick").all()[:4]:
        pick.check()
    page.locator("#selection summary").first.click()
    page.locator("#selection-new-album").fill("For guests")
    page.locator("#selection-new-album").press("Enter")
    page.locator("#said a", has_text="Open album").click()
    page.get_by_text("Share…").click()
    page.get_by_role("link", name="Share by link").click()
    page.get_by_label("Allow downloading originals").check()
    page.get_by_label("Guests may add pictures").check()
    page.get_by_role("button", name="Create link").click()
    address = page.locator(".address").input_value()
    context.close()
    return address


@pytest.fixture(params=[{}, PHONE], ids=["desktop", "phone"])
def guest(request, chromium, shared):
    context = chromium.new_context(**request.param)
    page, problems = watched(context)
    page.goto(shared)
    yield page
    context.close()
    assert problems == []


def test_the_viewer_has_its_keys_and_its_drawer(guest, shared):
    guest.locator("#grid a").first.click()
    expect(guest).to_have_title(re.compile("^1 of 4 – For guests"))
    stage = guest.locator(".stage").bounding_box()
    assert (stage["x"], stage["y"]) == (0, 0)
    expect(guest.locator(".drawer")).to_contain_text("For guests")
    guest.keyboard.press("i")
    if guest.viewport_size["width"] < 800:  # the details stand below: it leads there first
        expect(guest.locator(".drawer")).to_be_in_viewport()
        guest.wait_for_timeout(800)
        guest.keyboard.press("i")
    expect(guest.locator(".drawer")).to_be_hidden()
    stage = guest.locator(".stage").bounding_box()
    assert stage["width"] == guest.evaluate("innerWidth")
    guest.keyboard.press("f")
    expect(guest.locator("html")).to_have_class(re.compile("immersed"))
    guest.keyboard.press("ArrowRight")
    expect(guest.locator(".position")).to_have_text("2 / 4")
    expect(guest).to_have_title(re.compile("^2 of 4"))
    expect(guest.locator("html")).to_have_class(re.compile("immersed"))
    guest.keyboard.press("Escape")
    expect(guest.locator("html")).not_to_have_class(re.compile("immersed"))
    guest.keyboard.press("i")
    expect(guest.locator(".drawer")).to_be_visible()
    guest.keyboard.press("Escape")
    expect(guest).to_have_url(shared)


def test_back_leads_to_all_pictures_in_one_step(guest, shared):
    guest.locator("#grid a").first.click()
    guest.wait_for_load_state()
    for _ in range(2):
        at = guest.locator(".position").inner_text()
        guest.locator(".stage [rel=next]").click()
        expect(guest.locator(".position")).not_to_have_text(at)
    guest.go_back()
    expect(guest).to_have_url(shared)
    expect(guest.locator("#grid a")).to_have_count(4)


def test_a_guest_sees_how_many_pictures_were_chosen(guest):
    guest.get_by_text("Add your pictures…").click()
    guest.locator("#files").set_input_files([demo_path("coffee"), demo_path("rocket")])
    expect(guest.get_by_text("2 pictures chosen")).to_be_visible()
    assert guest.locator(".picker").bounding_box()["height"] >= 38
