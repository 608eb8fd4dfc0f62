"""Small things that people trip over: what was typed or focused stays, a finger hits what it aims at."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.running import all_ready, sign_in, wait_for
from tests.browser.test_pages import watched

pytestmark = pytest.mark.browser


@pytest.fixture
def page(site, chromium):
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    yield page
    context.close()


def picture(page, words: str) -> str:
    """The address of the first picture that is found."""
    page.goto(f"/?q={words}&all=1")
    return page.locator(".result .tile a").first.get_attribute("href").partition("?")[0]


def test_filters_show_what_is_asked_and_what_is_emptied_goes(page):
    page.goto("/?q=cup+color:red+is:favourite+after:2019")
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_label("Colour")).to_have_value("red")
    expect(page.get_by_label("Favourites")).to_be_checked()
    expect(page.get_by_label("Taken from")).to_have_value("2019-01-01")
    page.get_by_label("Colour").select_option("")
    page.get_by_label("Favourites").uncheck()
    page.get_by_label("Format").select_option("PNG")
    page.get_by_role("button", name="Apply filters").click()
    expect(page).to_have_url(re.compile(r"format%3APNG"))
    chips = page.locator(".tag-chip.filter")
    expect(chips).to_have_count(2)
    assert [chip.get_attribute("data-tag") for chip in chips.all()] == ["after:2019", "format:PNG"]
    page.get_by_role("button", name="Remove format:PNG").click()
    expect(page.locator(".tag-chip.filter")).to_have_count(1)  # the form's own field does not bring it back


def test_a_slider_keeps_the_focus(page):
    page.goto("/?q=cup+%23espresso")
    page.get_by_text("Balance and search tips").click()
    page.locator("[name=weight_tags]").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("weight_tags=1.25"))
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("weight_tags=1.5"))


def test_a_wrong_date_is_said_beside_the_picture(page):
    here = picture(page, "cup")
    page.goto(here)
    page.locator("details.correct summary").click()
    page.get_by_label("Taken", exact=True).fill("the day before")
    page.get_by_role("button", name="Set date").click()
    expect(page.locator("#said")).to_contain_text("Write a date like")
    expect(page.get_by_label("Taken", exact=True)).to_have_value("the day before")
    assert page.url.endswith(here)
    page.get_by_label("Taken", exact=True).fill("2019-05-01")
    page.get_by_role("button", name="Set date").click()
    expect(page.locator("#said .error")).to_have_count(0)
    expect(page.locator("dl")).to_contain_text("2019")
    expect(page.get_by_role("button", name="Turn left")).to_be_visible()  # it stays open


def test_what_is_done_with_a_picture_is_no_step_of_the_history(page):
    page.goto("/?q=cup&all=1")
    page.locator(".result .tile a").first.click()
    page.locator(".favourite button").click()
    expect(page.locator(".favourite button")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Add a tag").fill("history")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(page.locator("#tags")).to_contain_text("#history")
    page.locator(".favourite button").click()
    expect(page.locator(".favourite button")).to_have_attribute("aria-pressed", "false")
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?q=cup"))


def test_two_taps_zoom_once(page):
    page.goto(picture(page, "cup"))
    frame = page.locator("[data-viewer]")
    page.wait_for_timeout(400)  # the first tap is no second one of the page's beginning
    frame.evaluate(
        """(frame) => {
            const at = { pointerId: 5, pointerType: "touch", clientX: 300, clientY: 300, bubbles: true };
            for (const _ of [1, 2]) for (const type of ["pointerdown", "pointerup"])
                frame.dispatchEvent(new PointerEvent(type, at));
            frame.dispatchEvent(new MouseEvent("dblclick", at));
        }"""
    )
    expect(frame).to_have_class(re.compile("zoomed"))


def test_a_caption_is_kept_though_one_leaves(page):
    here = picture(page, "cup")
    page.goto(here)
    page.get_by_label("Caption").fill("My first cup")
    page.locator(".stage [rel=next], .stage [rel=prev]").first.click()
    wait_for(lambda: page.goto(here) and page.get_by_label("Caption").input_value() == "My first cup")
    page.get_by_label("Caption").fill("My second cup")
    expect(page.locator("#said")).to_contain_text("Saved.")  # the field still has the focus
    page.goto(here)
    expect(page.get_by_label("Caption")).to_have_value("My second cup")


def test_delete_opens_the_drawer_that_asks(page):
    page.goto(picture(page, "cup"))
    page.keyboard.press("i")
    expect(page.locator(".drawer")).to_be_hidden()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Delete picture")).to_be_focused()
    expect(page.get_by_role("button", name="Delete picture")).to_be_visible()


def test_the_keys_are_shown_over_the_page(page):
    page.goto("/images/")
    page.keyboard.press("Shift+?")
    expect(page.locator("dialog")).to_contain_text("Select a picture in a list")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert page.url.endswith("/images/")


def test_no_scores_beside_tags(page):
    page.goto(picture(page, "cup"))
    expect(page.locator("#tags li").first).to_be_visible()
    assert not re.search(r"\d\.\d\d", page.locator("#tags").inner_text())


def test_a_long_panorama_is_looked_at_pixel_by_pixel(page):
    page.goto(picture(page, "cup"))
    page.locator("[data-viewer] img").evaluate("(one) => one.setAttribute('width', 100 * one.clientWidth)")
    for _ in range(16):
        page.keyboard.press("+")
    page.wait_for_timeout(500)  # it moves there
    scale = page.locator("[data-viewer] img").evaluate(
        "(one) => new DOMMatrix(getComputedStyle(one).transform).a"
    )
    assert scale > 100


def test_a_tag_that_was_taken_off_comes_back(page):
    page.goto("/tags/?find=espresso")
    row = page.locator(".tag-list li", has=page.get_by_role("link", name="#espresso", exact=True))
    row.locator("summary").click()
    row.get_by_role("button", name="Remove from my pictures").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.goto("/tags/?find=espresso")
    expect(row).to_have_count(1)


def test_a_form_that_opens_is_ready_to_be_typed_into(page):
    page.goto("/albums/")
    page.get_by_text("New album…").click()
    expect(page.get_by_label("Title")).to_be_focused()
    page.goto("/?q=cup")
    page.get_by_text("Save this search…").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_the_language_counts_at_once(page):
    page.goto("/account/")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_label("Sprache")).to_be_visible()
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_label("Language")).to_be_visible()


# What is not in a sentence, nor hidden, nor as large as a finger: with its label, if it has one around it.
SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
    .filter((one) => one.closest("main") && one.checkVisibility() && !one.closest("p, .helptext, .tile a"))
    .filter((one) => !one.matches("[type=hidden], [type=file], .hidden, .hidden *"))
    .map((one) => [one, (one.closest("label") ?? one).getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height < 43.5)
    .map(([one, box]) => `${one.tagName} ${one.name ?? ""} ${one.textContent.trim()} ${box.height}`)"""


def test_a_finger_hits_what_it_aims_at(site, chromium):
    context = chromium.new_context(
        base_url=site.url, is_mobile=True, has_touch=True, viewport={"width": 390, "height": 844}
    )
    page, problems = watched(context)
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    found = []
    for address in (
        "/", "/?q=cup+color:red+%23espresso&all=1", "/images/", picture(page, "cup"), "/tags/", "/albums/",
        "/upload/", "/trash/", "/account/", "/account/tokens/", "/links/", "/searches/", "/links/new?image=5",
    ):  # fmt: skip
        page.goto(address)
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        found += [f"{address}: {own}" for own in page.evaluate(SMALL)]
    context.close()
    assert found == [], "\n".join(found)
    assert problems == []
