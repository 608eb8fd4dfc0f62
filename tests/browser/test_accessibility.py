"""axe-core finds no serious or critical violation on any page, in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/?q=hot+drink+%23espresso+%23unicorn&exclude_image=5",
    "/?page=x",
    "/images/",
    "/images/5/",
    "/albums/",
    "/tags/",
    "/searches/",
    "/duplicates/",
    "/upload/",
    "/accounts/password/",
    "/nowhere",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_violation(site, chromium, theme):
    context = chromium.new_context(color_scheme=theme, base_url=site.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    found = violations(page)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/albums/")
    if not page.locator(".albums a").count():
        page.locator("summary").click()
        page.get_by_label("Title").fill("Accessible")
        page.get_by_role("button", name="Make album").click()
    else:
        page.locator(".albums a").first.click()
    found += violations(page)
    for address in PAGES:
        page.goto(address)
        found += violations(page)
    context.close()
    assert found == []


def violations(page) -> list[str]:
    """What axe-core finds on the page that is serious or critical."""
    return [
        f"{page.url}: {violation['id']}: {node['html'][:120]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
