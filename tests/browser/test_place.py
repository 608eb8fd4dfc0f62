"""Nobody loses where they are: in a long list, while the network is away, and while things are done."""

import random
import re

import pytest
from PIL import Image as Pillow
from playwright.sync_api import expect

from gallery import demo
from tests.browser.running import sign_in, wait_for

pytestmark = pytest.mark.browser
MANY = 200


@pytest.fixture(scope="module")
def library(site, tmp_path_factory):
    """Enough pictures for several pages."""
    folder = tmp_path_factory.mktemp("many")
    with Pillow.open(next(iter(sorted(demo.photos())))) as photo:
        small = photo.convert("RGB").resize((90, 60))
    for number in range(MANY):
        own = small.copy()
        own.paste(tuple(random.choices(range(256), k=3)), (0, 0, 30, 30))
        own.save(folder / f"many{number:03}.png")
    site.manage("import_images", str(folder), "--owner", "admin")
    code = "from gallery.models import Image; print('left', Image.objects.filter(status='pending').count())"
    wait_for(lambda: "left 0" in site.manage("shell", "--verbosity", "0", "-c", code))


@pytest.fixture
def context(site, chromium, library):
    context = chromium.new_context(base_url=site.url, viewport={"width": 1200, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(site, context):
    page = context.new_page()
    sign_in(page, site.password)
    expect(page.locator(".account summary")).to_have_text("admin")
    return page


def three_pages(page, at: int = 150):
    """Browse, with three pages loaded, at the tile of this number; the tile's id."""
    page.goto("/images/")
    for pages in (2, 3):
        page.get_by_role("link", name="Show more").click()
        expect(page.locator("#grid .tile")).to_have_count(60 * pages)
    tile = page.locator("#grid [id^=i]").nth(at)
    tile.evaluate("(tile) => tile.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)  # until the place is noted
    return tile.get_attribute("id")


def top(page, tile: str) -> float:
    return page.locator(f"#{tile}").evaluate("(tile) => tile.getBoundingClientRect().top")


@pytest.mark.parametrize("way", ["Escape", "Back to list", "back"])
def test_back_from_a_picture_to_the_very_tile(page, way):
    tile = three_pages(page)
    before, address = top(page, tile), page.url
    page.locator(f"#{tile} a").first.click()
    page.wait_for_url(re.compile(r"/images/\d+/"))
    page.wait_for_load_state()
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "back":
        page.go_back()
    else:
        page.get_by_role("link", name=way).click()
    page.wait_for_url(address)
    expect(page.locator("#grid .tile")).to_have_count(180)
    wait_for(lambda: abs(top(page, tile) - before) < 8, 10)


def test_what_is_done_with_many_is_done_in_place_and_undone(page):
    tile = three_pages(page)
    before = page.evaluate("scrollY")
    page.locator(f"#{tile} .pick").check()
    page.locator("#selection").get_by_text("Tag", exact=True).first.click()
    page.locator("#selection input[name=tag]").first.fill("inplace")
    page.keyboard.press("Enter")
    note = page.locator("#said .note")
    expect(note).to_contain_text("1 picture")
    assert abs(page.evaluate("scrollY") - before) < 8
    note.get_by_role("button", name="Undo").click()
    expect(note).to_contain_text("Undone for 1 picture")
    page.goto("/tags/?find=inplace")
    expect(page.locator(".tag-list li")).to_have_count(0)


def test_what_went_to_the_trash_comes_back_to_its_place(page):
    tile = three_pages(page)
    before = page.evaluate("scrollY")
    page.locator(f"#{tile} .pick").check()
    page.locator("#selection").get_by_role("button", name="Delete").click()
    expect(page.locator(f"#{tile}")).to_have_count(0)
    assert abs(page.evaluate("scrollY") - before) < 8
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator(f"#{tile}")).to_have_count(1)
    assert abs(page.evaluate("scrollY") - before) < 8


def test_who_deletes_what_they_look_at_sees_the_next_one(page):
    page.goto("/images/")
    tiles = page.locator("#grid [id^=i]")
    first, second = (tiles.nth(number).get_attribute("id") for number in (5, 6))
    page.locator(f"#{first} a").first.click()
    page.wait_for_url(re.compile(rf"/images/{first[1:]}/"))
    page.wait_for_load_state()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Delete picture").click()
    page.wait_for_url(re.compile(rf"/images/{second[1:]}/"))


def test_without_a_network_everything_stays(page, context):
    page.goto("/images/")
    context.set_offline(True)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#said, .offline").get_by_text(re.compile("reached|offline")).first).to_be_visible()
    assert page.locator("#grid .tile").count() == 60
    context.set_offline(False)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#grid .tile")).to_have_count(120)


def test_an_answer_without_the_list_never_empties_the_page(page):
    page.goto("/images/")
    broken = {"left": 1}

    def proxy(route):
        if broken["left"]:
            broken["left"] -= 1
            route.fulfill(status=502, body="<html><body>Bad Gateway</body></html>", content_type="text/html")
        else:
            route.continue_()

    page.route(re.compile(r"page=2"), proxy)
    page.get_by_role("link", name="Show more").click()
    page.wait_for_url(re.compile("page=2"))
    expect(page.locator("#grid .tile").first).to_be_visible()
    assert broken["left"] == 0


def test_who_was_signed_out_signs_in_and_is_back(page, context, site):
    page.goto("/images/")
    context.clear_cookies(name=re.compile("sessionid"))
    page.get_by_role("link", name="Show more").click()
    page.wait_for_url(re.compile("/accounts/login/"))
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/images/(\?.*)?$"))
    expect(page.locator("#grid .tile").first).to_be_visible()


def test_keys_move_choose_and_play(page):
    page.goto("/images/")
    page.locator("#grid a").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator("#grid .pick:checked")).to_have_count(1)
    assert page.locator("#grid .pick").nth(1).is_checked()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/images/\d+/"))
    page.wait_for_load_state()
    begun = page.url
    page.keyboard.press("p")
    page.wait_for_url(lambda url: url != begun, timeout=15_000)
    page.keyboard.press("i")
    expect(page.locator("#details")).to_be_hidden()


def test_the_site_can_be_installed(page, context):
    page.goto("/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = context.new_cdp_session(page)
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A browser without a profile on disk installs nothing; of the site it has nothing to say.
    assert [own["errorId"] for own in errors if own["errorId"] != "in-incognito"] == []
    context.set_offline(True)
    page.goto("/albums/")
    expect(page.get_by_text("No connection")).to_be_visible()
    context.set_offline(False)
