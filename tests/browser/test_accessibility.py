"""axe-core finds nothing on any page, in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.running import all_ready, sign_in, wait_for

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/?q=hot+drink+%23espresso+%23unicorn&exclude_image=5",
    "/?page=x",
    "/images/",
    "/images/5/",
    "/images/5/albums",
    "/region/?image=5&of=5",
    "/trash/",
    "/help/",
    "/received/",
    "/offline/",
    "/links/",
    "/guests/",
    "/account/tokens/",
    "/models/",
    "/links/new?image=5",
    "/account/",
    "/account/delete",
    "/invitations/",
    "/albums/",
    "/tags/",
    "/searches/",
    "/duplicates/",
    "/upload/",
    "/accounts/password/",
    "/nowhere",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site, chromium, theme):
    context = chromium.new_context(color_scheme=theme, base_url=site.url)
    page = context.new_page()
    found = []
    for address in ("/accounts/login/", "/accounts/reset/"):
        page.goto(address)
        found += violations(page)
    sign_in(page, site.password)
    wait_for(lambda: all_ready(page))
    page.goto("/albums/")
    if not page.locator(".albums a").count():
        page.get_by_text("New album…").click()
        page.get_by_label("Title").fill("Accessible")
        page.get_by_role("button", name="Create album").click()
    else:
        page.locator(".albums a").first.click()
    found += violations(page)
    album = page.url.partition("?")[0]
    for address in ("?arrange", "activity"):
        page.goto(album + address)
        found += violations(page)
    page.goto("/links/new?image=5")
    page.get_by_role("button", name="Create link").click()
    found += violations(page)
    shared = page.locator(".address").input_value()
    for address in (shared, f"{shared}images/5/", *PAGES):
        page.goto(address)
        found += violations(page)
    page.goto("/?q=cat&all=1")
    page.locator(".why summary").first.click()
    found += violations(page)
    context.close()
    assert found == [], "\n".join(found)


def violations(page) -> list[str]:
    """What axe-core finds on the page."""
    return [
        f"{page.url}: {violation['id']}: {node['html'][:120]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]
