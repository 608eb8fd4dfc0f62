"""The admin site in the browser, under the site's own rules for what a page may do."""

import pytest

from tests.browser.running import sign_in

pytestmark = pytest.mark.browser
PAGES = [
    "",
    "gallery/image/",
    "gallery/image/add/",
    "gallery/tag/",
    "gallery/tagdecision/add/",
    "gallery/album/add/",
]


def test_nothing_is_blocked_or_missing(site, chromium):
    context = chromium.new_context(base_url=site.url, viewport={"width": 1280, "height": 800})
    page, problems = context.new_page(), []
    page.on("console", lambda said: problems.append((page.url, said.text)) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append((page.url, str(error))))
    page.on("response", lambda got: problems.append((page.url, got.url)) if got.status >= 400 else None)
    sign_in(page, site.password)
    page.locator(".account summary").wait_for()
    for address in PAGES:
        page.goto(f"/admin/{address}")
        page.wait_for_load_state("networkidle")
    page.goto("/api/docs/")
    page.get_by_text("Signing in.").wait_for()
    page.goto("/admin/gallery/image/")
    assert page.locator("#result_list img").first.bounding_box()["height"] <= 72
    page.locator("#result_list .action-select").first.check()
    page.locator("select[name=action]").select_option("add_to_album")
    page.locator("button[name=index]").click()
    page.locator(".select2-selection").click()
    page.locator(".select2-results__option").first.wait_for()
    context.close()
    assert problems == []
