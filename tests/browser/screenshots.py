"""Screenshots of every page, in both themes and at three widths, into var/screenshots: `make screenshots`."""

import shutil
import tempfile
import urllib.parse
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.running import BASE, CHROMIUM, Site, all_ready, chromium_path, running, sign_in, wait_for

FOLDER = BASE / "var" / "screenshots"
WIDTHS = (360, 1280, 2560)
PAGES = {
    "home": "/",
    "results": "/?q=hot+drink",
    "mixed": "/?q=animal+%23tabby&image=1",
    "nothing": "/?q=%23unicorn",
    "wrong": "/?q=date%3A2024",
    "region": "/region/?image=1&of=1",
    "browse": "/images/",
    "picture": "/images/1/",
    "albums": "/albums/",
    "album": "/albums/1/",
    "arrange": "/albums/1/?arrange",
    "tags": "/tags/",
    "saved": "/searches/",
    "duplicates": "/duplicates/",
    "upload": "/upload/",
    "trash": "/trash/",
    "help": "/help/",
    "links": "/links/",
    "link": "/links/new?album=1",
    "account": "/account/",
    "leave": "/account/delete",
    "invitations": "/invitations/",
    "password": "/accounts/password/",
    "404": "/nowhere",
}
SIGNED_OUT = {"login": "/accounts/login/", "reset": "/accounts/reset/"}


def furnish(page) -> str:
    """An album, a saved search and a share link, made as a person makes them; the link's address."""
    page.goto("/albums/")
    page.get_by_text("New album…").click()
    page.get_by_label("Title").fill("Corsica")
    page.get_by_label("Description").fill("Two weeks in May.")
    page.get_by_role("button", name="Create album").click()
    page.goto("/images/")
    for pick in page.locator(".pick").all()[:7]:
        pick.check()
    page.locator("#selection").get_by_text("Add to album").click()
    page.locator("#selection").get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("7 pictures added").wait_for()
    page.goto("/?q=hot+drink")
    page.get_by_text("Save this search").click()
    page.get_by_label("Name").fill("Something hot")
    page.get_by_role("button", name="Save").click()
    page.goto("/links/new?album=1")
    page.get_by_role("button", name="Create link").click()
    return urllib.parse.urlsplit(page.locator(".address").input_value()).path


def shoot(browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    sign_in(page, site.password)

    wait_for(lambda: all_ready(page))
    shared = furnish(page)
    state = context.storage_state()
    context.close()
    for theme in ("light", "dark"):
        for width in WIDTHS:
            for signed_in, pages in ((state, PAGES), (None, SIGNED_OUT | {"shared": shared})):
                context = browser.new_context(
                    base_url=site.url,
                    storage_state=signed_in,
                    color_scheme=theme,
                    viewport={"width": width, "height": 800},
                )
                page = context.new_page()
                for name, address in pages.items():
                    page.goto(address)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=FOLDER / f"{name}-{theme}-{width}.png")
                context.close()


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as var, running(Path(var)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        shoot(browser, site)
        browser.close()
    print(f"{len(list(FOLDER.iterdir()))} screenshots in {FOLDER}")


if __name__ == "__main__":
    main()
