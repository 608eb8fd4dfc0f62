"""The main path as a person walks it, with JavaScript and without."""

import base64
import random
import re

import pytest
from PIL import Image as Pillow
from playwright.sync_api import expect

from gallery import demo
from tests.browser.running import all_ready, sign_in, wait_for
from tests.conftest import demo_path

pytestmark = pytest.mark.browser


def watched(context):
    """A page, and what goes wrong on it: console errors, failed requests, answers that are errors."""
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda response: problems.append(response.url) if response.status >= 400 else None)
    return page, problems


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visitor(request, site, chromium):
    """A page of a signed-in administrator; at the end there was no console error and no failed request."""
    context = chromium.new_context(
        java_script_enabled=request.param, base_url=site.url, accept_downloads=True
    )
    page, problems = watched(context)
    sign_in(page, site.password)
    expect(page.locator(".account summary")).to_have_text("admin")
    page.is_live = request.param
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def live(site, chromium):
    """The same with JavaScript, and with every shift of the layout written down."""
    context = chromium.new_context(base_url=site.url)
    context.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => window.shifts.push(...list.getEntries()"
        ".filter((shift) => !shift.hadRecentInput).map((shift) => [shift.startTime, shift.value])))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    page, problems = watched(context)
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    yield page
    context.close()
    assert problems == []


def shift_of(page) -> float:
    """The page's Cumulative Layout Shift as web.dev/cls defines it.

    The largest session of shifts that follow each other within a second and take five seconds at most.
    """
    largest = total = first = last = 0.0
    for at, value in page.evaluate("window.shifts"):
        if at - last > 1000 or at - first > 5000:
            total, first = 0.0, at
        total, last = total + value, at
        largest = max(largest, total)
    return largest


def drop(page, target: str, paths: list) -> None:
    """Drop files as a person does from another window; `target` is where."""
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(
        """([target, files]) => {
            const transfer = new DataTransfer();
            for (const [name, data] of files)
                transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name,
                                            { type: name.endsWith("png") ? "image/png" : "image/jpeg" }));
            const at = document.querySelector(target);
            const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
            for (const type of ["dragover", "drop"]) at.dispatchEvent(new DragEvent(type, options));
        }""",
        [target, files],
    )


def paste(page, path) -> None:
    page.evaluate(
        """([name, data]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name,
                                        { type: "image/jpeg" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def make_album(page) -> tuple[str, str]:
    """The title and the address of a new album with three pictures, made and filled by hand."""
    title = f"Album {random.random()}"
    page.goto("/albums/")
    page.get_by_text("New album…").click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Create album").click()
    album = page.url
    page.goto("/images/")
    for pick in page.locator(".pick").all()[:3]:
        pick.check()
    page.locator("#selection").get_by_text("Add to album").click()
    page.locator("#selection-album").select_option(label=title)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(f"3 pictures added to {title}")).to_be_visible()
    return title, album


def variants(folder, count: int) -> list:
    """Photos that nobody has yet: the demo photos, a little smaller."""
    paths = []
    searched = ("chelsea", "coffee", "flower", "rocket")  # other tests look for these: no copies of them
    for path in [path for path in sorted(demo.photos()) if not path.name.startswith(searched)][:count]:
        with Pillow.open(path) as picture:
            side = random.randint(300, 400)
            paths.append(folder / f"new-{path.stem}.jpg")
            smaller = picture.convert("RGB").resize((side, side - 40))
            smaller.paste(tuple(random.choices(range(256), k=3)), (0, 0, 8, 8))  # no two are ever the same
            smaller.save(paths[-1])
    return paths


def test_drop_five_photos_and_watch_them_become_ready(live, tmp_path):
    page = live
    page.goto("/upload/")
    drop(page, ".drop", [*variants(tmp_path, 5), demo_path("chelsea")])
    expect(page.locator("#progress [role=status]")).to_have_text("6 of 6 files uploaded")
    expect(page.locator(".outcomes .added")).to_have_count(5)
    expect(page.locator(".outcomes .there")).to_have_text(re.compile("You already have this picture"))
    expect(page.locator("#waiting")).to_have_text(re.compile("All 5 pictures are searchable"), timeout=60_000)


def test_the_line_counts_every_file_however_its_answers_cross(live, tmp_path):
    page, held = live, []
    page.goto("/upload/")
    first = re.compile(r"/waiting/\?of=1$")
    page.route(first, lambda route: held.append((route, route.fetch())))
    for number, path in enumerate(variants(tmp_path, 2), start=1):
        page.get_by_label("Choose pictures").set_input_files(path)
        expect(page.locator(".outcomes .added")).to_have_count(number)
        page.wait_for_timeout(500)
    for late, answer in held:
        late.fulfill(response=answer)
    expect(page.locator("#waiting")).to_have_text(re.compile("All 2 pictures are searchable"), timeout=60_000)
    page.unroute(first)


def test_what_fails_on_the_way_is_said_and_tried_again(site, chromium, tmp_path):
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    sign_in(page, site.password)
    page.goto("/upload/")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_label("Choose pictures").set_input_files(broken)
    expect(page.locator(".outcomes .refused")).to_have_text(re.compile("broken.png.*not a picture"))
    expect(page.locator(".outcomes .refused")).not_to_have_text(re.compile("about:blank|object Object|400"))
    context.set_offline(True)
    page.get_by_label("Choose pictures").set_input_files(variants(tmp_path, 4))
    expect(page.locator(".outcomes .failed")).to_have_count(4)
    context.set_offline(False)
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator(".outcomes .added")).to_have_count(4)
    context.close()


def test_sending_pauses_and_goes_on(live, tmp_path):
    page = live
    page.goto("/upload/")
    page.evaluate("document.querySelector('[data-pause]').click()")
    page.get_by_label("Choose pictures").set_input_files(variants(tmp_path, 3))
    expect(page.locator("#progress [role=status]")).to_have_text("0 of 3 files uploaded")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".outcomes .added")).to_have_count(3)


def test_search_in_every_way(live):
    page = live
    bar = page.get_by_label("Search for")
    page.evaluate("window.stayed = true")
    bar.fill("a kitten")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=a\+kitten$"))
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "chelsea.png")
    assert page.evaluate("window.stayed")  # without a reload
    bar.fill("")
    bar.press_sequentially("cup -#esp")
    expect(page.get_by_role("option", name="#espresso")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".tag-chip.unwanted")).to_have_text("-#espresso×")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=-%23espresso\+cup"))
    expect(page.locator(".result .tile a[title='coffee.png']")).to_have_count(0)
    page.get_by_role("button", name="Remove -#espresso").click()
    expect(page).to_have_url(re.compile(r"q=cup$"))
    page.go_back()
    expect(page.locator(".tag-chip.unwanted")).to_have_count(1)
    bar.fill("")
    page.get_by_role("button", name="Remove -#espresso").click()
    bar.press_sequentially("#espresso ")
    expect(page.locator(".tag-chip")).to_have_text("#espresso×")
    page.keyboard.press("Enter")
    expect(page.locator(".result .tile a").first).to_have_attribute("title", re.compile("coffee|p.png"))
    expect(page.locator(".matched").first).to_have_text("#espresso")
    assert shift_of(page) < 0.05


def test_search_by_a_pasted_picture_by_a_part_of_it_and_by_a_mix(live):
    page = live
    paste(page, demo_path("flower"))
    expect(page.locator(".chip img")).to_have_count(1)
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "flower.jpg")
    page.get_by_role("link", name="Use a part").click()
    box = page.locator("[data-region]").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.9, steps=4)
    page.mouse.up()
    assert 29 < float(page.get_by_label("Left").input_value()) < 31
    page.get_by_role("button", name="Search by this part").click()
    expect(page.locator(".chip img")).to_have_count(1)
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "flower.jpg")
    page.get_by_label("Search for").fill("temple")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=temple&picture="))
    expect(page.locator(".shares .text").first).to_be_visible()
    drop(page, "body", [demo_path("rocket")])
    expect(page.locator(".chip img")).to_have_count(2)


def test_results_go_on_and_back(live):
    page = live
    page.goto("/?q=photo&all=1")
    page.locator(".why summary").first.click()
    page.get_by_role("link", name="Less like this").first.click()
    expect(page.locator(".chip.exclude_image")).to_have_count(1)
    page.go_back()
    expect(page.locator(".chip.exclude_image")).to_have_count(0)
    page.locator(".result .tile a").first.click()
    page.wait_for_load_state()  # keys are heard once the page's scripts run
    first = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
    page.wait_for_load_state()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    page.wait_for_load_state()
    page.mouse.move(300, 300)
    page.locator("[data-viewer]").dblclick()
    expect(page.locator("[data-viewer]")).to_have_class(re.compile("zoomed"))
    page.keyboard.press("0")
    expect(page.locator("[data-viewer]")).not_to_have_class(re.compile("zoomed"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("q=photo"))


def test_page_two_and_back(site, visitor, tmp_path):
    page = visitor
    page.goto("/images/")
    while page.locator(".pages a[rel=next]").count() == 0:
        folder = tmp_path / str(random.random())
        folder.mkdir()
        for path in variants(folder, 17):
            path.rename(folder / f"{random.random()}{path.name}")
        site.manage("import_images", str(folder), "--owner", "admin")
        wait_for(lambda: all_ready(page))
        page.goto("/images/")
    if page.is_live:
        expect(page.locator("#grid .tile")).to_have_count(60)
        page.get_by_role("link", name="Show more").click()
        expect(page.locator("#pages")).to_contain_text("Page 2 of")
        assert page.locator("#grid .tile").count() > 60
    page.goto("/images/?page=2")
    page.get_by_role("link", name="Show previous").click()
    expect(page).to_have_url(re.compile("from=1&page=2$|page=2&from=1$|page=1$"))


def test_a_rejected_tag_leaves_the_results_and_an_accepted_one_looks_different(visitor):
    page = visitor
    wait_for(lambda: all_ready(page))
    page.goto("/?q=%23espresso")
    page.locator(".result .tile a").first.click()
    here = page.url
    page.get_by_label("Add a tag").fill("breakfast")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(page.locator("#tags li.person", has_text="#breakfast")).to_be_visible()
    page.get_by_role("button", name="Reject breakfast").click()
    expect(page.locator("#tags li", has_text="#breakfast")).to_have_count(0)
    page.goto("/?q=%23breakfast")
    expect(page.locator(".result")).to_have_count(0)
    page.goto(here)
    page.get_by_role("button", name="Reject espresso").click()
    expect(page.locator("#tags li", has_text="#espresso")).to_have_count(0)
    name = page.get_by_role("heading", level=1).inner_text()
    page.goto("/?q=%23espresso")
    expect(page.locator(f".result .tile a[title='{name}']")).to_have_count(0)
    page.goto(here)
    page.get_by_label("Add a tag").fill("espresso")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(page.locator("#tags li.person", has_text="#espresso")).to_be_visible()


def test_an_album_is_shared_by_link_and_opened_signed_out(visitor, chromium, site):
    page = visitor
    title, album = make_album(page)
    page.goto(album)
    page.get_by_text("Share…").click()
    page.get_by_role("link", name="Share by link").click()
    page.get_by_label("Password (optional)").fill("tune")
    page.get_by_role("button", name="Create link").click()
    address = page.locator(".address").input_value()
    if page.is_live:
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
    context = chromium.new_context(java_script_enabled=page.is_live)
    guest, problems = watched(context)
    guest.goto(address)
    guest.get_by_label("Password").fill("tune")
    guest.get_by_role("button", name="Show pictures").click()
    expect(guest.get_by_role("heading", name=title)).to_be_visible()
    expect(guest.locator(".tile img")).to_have_count(3)
    guest.get_by_role("link", name="Slideshow").click()
    expect(guest.get_by_text("2 / 3")).to_be_visible(timeout=15_000)
    guest.get_by_role("button" if page.is_live else "link", name="Pause").click()
    assert problems == []
    context.close()


def test_upload_then_search_by_plain_forms(site, chromium):
    """The main path where there is no JavaScript at all."""
    context = chromium.new_context(java_script_enabled=False, base_url=site.url)
    page, problems = watched(context)
    sign_in(page, site.password)
    page.get_by_role("link", name="Upload").first.click()
    page.get_by_label("Choose pictures").set_input_files([demo_path("chelsea"), demo_path("rocket")])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("You already have this picture.")).to_have_count(2)
    wait_for(lambda: all_ready(page))
    page.get_by_label("Search for").fill("a kitten -#espresso")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"/\?q=a\+kitten"))
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "chelsea.png")
    page.get_by_label("Search for").fill("")
    page.locator("input[name=file]").first.set_input_files(demo_path("flower"))
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "flower.jpg")
    page.get_by_role("link", name="Use a part").click()
    page.get_by_role("button", name="Search by this part").click()
    expect(page.locator(".chip img")).to_have_count(1)
    page.get_by_label("Search for").fill("temple")  # the picture stays in the query: a mix
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".chip img")).to_have_count(1)
    context.close()
    assert problems == []


def test_one_picture_and_back(visitor):
    page = visitor
    wait_for(lambda: all_ready(page))
    page.goto("/?q=space+launch")
    page.locator(".result .tile a").first.click()
    expect(page.get_by_role("heading", name="rocket.jpg")).to_be_visible()
    expect(page.get_by_role("heading", name="Similar pictures")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original", exact=True).click()
    assert download.value.suggested_filename == "rocket.jpg"
    assert download.value.path().read_bytes() == demo_path("rocket").read_bytes()
    page.get_by_role("link", name="Search by this picture").click()
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "rocket.jpg")
    page.go_back()
    expect(page.get_by_role("heading", name="rocket.jpg")).to_be_visible()


def test_a_phone_swipes_and_takes_pictures_to_search_by(site, chromium):
    context = chromium.new_context(
        base_url=site.url, is_mobile=True, has_touch=True, viewport={"width": 390, "height": 800}
    )
    page, problems = watched(context)
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    expect(page.locator(".camera")).to_be_visible()
    page.locator(".camera input").set_input_files(demo_path("flower"))
    expect(page.locator(".result .tile a").first).to_have_attribute("title", "flower.jpg")
    page.goto("/?q=animal&all=1")
    page.locator(".result .tile a").first.click()
    first = page.get_by_role("heading", level=1).inner_text()
    page.evaluate(
        """() => {
            const frame = document.querySelector("[data-viewer]");
            for (const [type, x] of [["pointerdown", 300], ["pointermove", 200], ["pointerup", 100]])
                frame.dispatchEvent(
                    new PointerEvent(type, { pointerId: 5, pointerType: "touch", clientX: x, clientY: 300 })
                );
        }"""
    )
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
    context.close()
    assert problems == []


def test_an_albums_pictures_are_dragged_to_their_places(live):
    page = live
    _, album = make_album(page)
    page.goto(f"{album}?arrange")
    names = page.locator("#grid .tile a").evaluate_all("all => all.map((one) => one.title)")
    page.locator("#grid figure").nth(2).drag_to(page.locator("#grid figure").nth(0))
    expect(page.locator("#grid .tile a").first).to_have_attribute("title", names[2])
    page.get_by_role("button", name="last").first.click()
    expect(page.locator("#grid .tile a").last).to_have_attribute("title", names[2])


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


def test_enter_in_a_field_presses_the_button_beside_it(live):
    page = live
    page.goto("/images/")
    wait_for(lambda: all_ready(page))
    page.goto("/?q=cup&all=1")
    page.locator(".count").first.click()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.locator(".pick").first.check()
    page.locator("#selection").get_by_text("Tag", exact=True).first.click()
    page.locator("#selection-tag").fill("by enter")
    page.locator("#selection-tag").press("Enter")
    expect(page.locator("#said")).to_contain_text("1 picture tagged")
    page.locator(".result .tile a").first.click()
    page.locator("details.correct summary").click()
    page.locator("#place").fill("Attic")
    page.locator("#place").press("Enter")
    expect(page.locator("dl")).to_contain_text("Attic")


def test_the_way_from_picture_to_picture_leads_back_to_the_list_in_one_step(live):
    page = live
    wait_for(lambda: all_ready(page))
    page.goto("/?q=cup&all=1")
    page.evaluate("window.scrollTo(0, 400)")
    page.locator(".result .tile a").nth(3).click()
    for _ in range(2):
        name = page.get_by_role("heading", level=1).inner_text()
        page.locator(".stage [rel=next]").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text(name)
    page.locator("a[data-back]").click()
    expect(page).to_have_url(re.compile(r"\?q=cup"))
    page.wait_for_function("window.scrollY > 200")


@pytest.mark.parametrize("width", [1280, 390])
def test_menus_open_inside_the_window(live, width):
    live.set_viewport_size({"width": width, "height": 800})
    for address, menu in (("/", ".account"), ("/tags/", ".tag-list .menu")):
        live.goto(address)
        live.locator(f"{menu} summary").first.click()
        box = live.locator(f"{menu} .fields").first.bounding_box()
        assert box["x"] >= 0, (address, box)
        assert box["x"] + box["width"] <= width, (address, box)
        end = box["x"] + box["width"]
        for inside in (
            live.locator(f"{menu} .fields").first.locator("a, button, input:not([type=hidden])").all()
        ):
            own = inside.bounding_box()
            assert box["x"] <= own["x"] <= own["x"] + own["width"] <= end, (address, own, box)


def test_the_fields_of_an_upload_can_be_read_on_a_phone(live):
    live.set_viewport_size({"width": 390, "height": 844})
    live.goto("/upload/")
    for field in live.locator(".goes-to input:not([type=checkbox]), .goes-to select").all():
        assert field.bounding_box()["width"] > 200


def test_an_upload_stays_where_it_is_when_its_session_ends(site, chromium, tmp_path):
    """The line that says how many are ready looks on by itself; what it meets must not take the page away."""
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    sign_in(page, site.password)
    page.goto("/upload/")
    context.clear_cookies()
    page.evaluate(
        "htmx.ajax('GET', document.querySelector('#upload').dataset.waiting + '?of=1',"
        " {target: '#waiting', swap: 'outerHTML'})"
    )
    page.wait_for_timeout(1500)
    assert page.url == f"{site.url}/upload/"
    page.get_by_label("Choose pictures").set_input_files(variants(tmp_path, 1))
    expect(page.locator("#said")).to_contain_text("You were signed out")
    context.close()
