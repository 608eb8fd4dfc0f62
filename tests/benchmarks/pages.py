"""How fast pages are with many pictures and people: `make bench` runs it.

A real site holds as many pictures as --images says in 100 albums of 10,000, with 50 members. Every list page
is asked for by HTTP in turn, by the owner and by a member; then a real browser opens pages. Queries are
counted by the tests, times here.
"""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.running import CHROMIUM, Site, all_ready, chromium_path, running, sign_in, wait_for

FIRST = 1000  # the number of the first copy
ALBUMS, PER_ALBUM, MEMBERS, ROUNDS = 100, 10_000, 50, 9
TAGS = 4585  # as many as RAM knows
SETTLED = 20  # seconds: a site that has just started does each of its schedules once
TILES = 2000  # loaded one page after the other, before keys and clicks are timed
LISTS = [
    "/",
    "/images/",
    "/images/?page=800",
    "/albums/",
    "/albums/1/",
    "/albums/1/?page=100",
    "/tags/",
    "/trash/",
]
LISTS += [
    "/links/",
    "/searches/",
    "/duplicates/",
    "/account/",
    "/invitations/",
    "/images/1500/?in=album&album=1",
]
LISTS += ["/api/v1/images/", "/api/v1/albums/", "/api/v1/albums/1/images/", "/api/v1/tags/"]
ADMIN = [
    "",
    "gallery/image/",
    "gallery/image/?status__exact=failed",
    "gallery/image/?q=synthetic+7",
    "gallery/image/?q=coffee",
    "gallery/image/?p=1000",
    "gallery/image/1500/change/",
    "gallery/tag/",
    "gallery/tag/?q=synthetic+4",
    "gallery/tag/?use=unused",
    "gallery/tagdecision/",
    "gallery/album/",
    "gallery/album/1/change/",
    "gallery/sharelink/",
    "gallery/accesstoken/",
    "gallery/auditentry/",
    "auth/user/",
]
BROWSED = {"home": "/", "results": "/?q=a+cat+on+a+roof&all=1", "browse": "/images/"}
COLUMNS = {
    table: columns.split()
    for table, columns in {
        "gallery_embedding": "image_id extractor dim dtype vector",
        "gallery_tag": "id name",
        "gallery_imagetag": "image_id tag_id confidence source extractor",
        "gallery_album": "id owner_id title description created_at order shows_location",
        "gallery_albumimage": "album_id image_id added_at",
        "auth_user": "id username password is_superuser is_staff is_active first_name last_name email "
        "date_joined",
        "gallery_albummember": "album_id user_id role",
    }.items()
}
LIMIT_MS, ADMIN_MS, PAINT_MS, WEIGHT_KB, PICTURES_MS, INTERACTION_MS = 100, 300, 300, 120, 300, 200


def fill(site: Site, count: int) -> None:
    """Copies of the demo pictures' rows, each with a vector of its own, in albums that everybody is a member
    of."""
    with sqlite3.connect(site.var / "picfusion.sqlite3", timeout=60) as database:
        (admin,) = database.execute("SELECT id FROM auth_user WHERE username = 'admin'").fetchone()
        _fill_pictures(database, admin, count)
        _fill_albums(database, admin, count)
        database.execute("PRAGMA optimize")


def _fill_pictures(database: sqlite3.Connection, admin: int, count: int) -> None:
    random = np.random.default_rng(7)
    (extractor, dim) = database.execute("SELECT extractor, dim FROM gallery_embedding LIMIT 1").fetchone()
    columns = [name for name, *_rest in _table(database, "gallery_image")]
    demo = database.execute(f"SELECT {', '.join(columns)} FROM gallery_image").fetchall()
    rows = []
    for n in range(count):
        taken = f"{2000 + n % 25}-{n % 12 + 1:02}-{n % 28 + 1:02} 12:00:00"
        own = {
            "id": FIRST + n,
            "owner_id": admin,
            "sha256": f"{n:064x}",
            "taken_at": taken,
            "is_text_read": 1,
        }
        row = dict(zip(columns, demo[n % len(demo)], strict=True)) | own | {"taken_local": taken}
        rows.append(tuple(row.values()))
    _insert(database, "gallery_image", rows, columns)
    hashes = random.integers(1, 2**62, count).tolist()
    database.executemany(
        "UPDATE gallery_image SET perceptual_hash = ? WHERE id = ?",
        zip(hashes, range(FIRST, FIRST + count), strict=True),
    )
    vectors = random.standard_normal((count, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings = ((FIRST + n, extractor, dim, "float32", vectors[n].tobytes()) for n in range(count))
    _insert(database, "gallery_embedding", embeddings)
    tags = [(10_000 + n, f"synthetic {n}") for n in range(TAGS)]
    _insert(database, "gallery_tag", tags)
    links = (
        (FIRST + n, 10_000 + (n * 7 + k) % TAGS, 0.5, "person", "") for n in range(count) for k in range(3)
    )
    _insert(database, "gallery_imagetag", links)


def _fill_albums(database: sqlite3.Connection, admin: int, count: int) -> None:
    now = "2026-01-01 00:00:00"
    albums = ((n + 1, admin, f"Album {n:03}", "", now, "added", 0) for n in range(ALBUMS))
    _insert(database, "gallery_album", albums)
    inside = (
        (album + 1, FIRST + (album * 1000 + n) % count, now)
        for album in range(ALBUMS)
        for n in range(PER_ALBUM)
    )
    _insert(database, "gallery_albumimage", inside)
    (password,) = database.execute("SELECT password FROM auth_user WHERE id = ?", [admin]).fetchone()
    people = ((100 + n, f"member{n}", password, 0, 0, 1, "", "", "", now) for n in range(MEMBERS))
    _insert(database, "auth_user", people)
    members = ((album + 1, 100 + n, "viewer") for album in range(ALBUMS) for n in range(MEMBERS))
    _insert(database, "gallery_albummember", members)


def _table(database: sqlite3.Connection, table: str) -> list[tuple[str, str, bool]]:
    """(name, type, whether it needs a value) of each column."""
    told = database.execute(f"PRAGMA table_info({table})")
    return [(name, kind, bool(notnull) and default is None) for _, name, kind, notnull, default, _ in told]


def _insert(database: sqlite3.Connection, table: str, rows, columns: list[str] | None = None) -> None:
    """Insert rows of these columns; what else needs a value is zero or empty."""
    columns = columns or COLUMNS[table]
    others = [own for own in _table(database, table) if own[2] and own[0] not in columns and own[0] != "id"]
    empty = tuple("" if kind.startswith(("varchar", "text")) else 0 for _name, kind, _needed in others)
    named = ", ".join(f'"{column}"' for column in [*columns, *(own[0] for own in others)])
    places = ", ".join("?" * (len(columns) + len(others)))
    database.executemany(f"INSERT INTO {table} ({named}) VALUES ({places})", ((*row, *empty) for row in rows))


def lists(site: Site, cookies: dict[str, str], addresses: list[str], limit: float) -> bool:
    """The pages' times, medians in milliseconds; whether all are within the limit."""
    good = True
    print(f"{'':36}" + "".join(f"{person:>12}" for person in cookies))
    for address in addresses:
        medians = []
        for cookie in cookies.values():
            times = []
            for _ in range(ROUNDS):
                request = urllib.request.Request(site.url + address, headers={"Cookie": cookie})
                began = time.perf_counter()
                try:
                    urllib.request.urlopen(request).read()
                except urllib.error.HTTPError:
                    times = [float("nan")]  # a member has no such page
                    break
                times.append((time.perf_counter() - began) * 1000)
            medians.append(statistics.median(times))
        good = good and not any(median > limit for median in medians)
        print(f"{address:36}" + "".join(f"{median:9.1f} ms" for median in medians))
    return good


def browsed(browser, site: Site, state) -> bool:
    """First contentful paint, at the first visit and at later ones, and weight without pictures."""
    good = True
    for name, address in BROWSED.items():
        first, later, weight = [], [], 0
        for _ in range(ROUNDS):
            context = browser.new_context(base_url=site.url, storage_state=state)
            page, answers = context.new_page(), []
            page.on("response", lambda response, answers=answers: answers.append(response))
            first.append(_paint(page, address))
            kinds = [response for response in answers if response.request.resource_type != "image"]
            weight = sum(response.request.sizes()["responseBodySize"] for response in kinds) / 1000
            page.goto("about:blank")
            later.append(_paint(page, address))
            context.close()
        paint = statistics.median(later)
        good = good and paint < PAINT_MS and weight < WEIGHT_KB
        print(
            f"{name:36}{paint:9.1f} ms to the first paint, {statistics.median(first):.1f} at the first",
            end="",
        )
        print(f" visit, {weight:.0f} kB without pictures")
    return good


def _paint(page, address: str) -> float:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")


def answered(browser, site: Site, state) -> bool:
    """From Enter in the bar until four pictures are on the screen; whether within the limit."""
    context = browser.new_context(
        base_url=site.url, storage_state=state, bypass_csp=True
    )  # to wait in the page
    page, times = context.new_page(), []
    page.goto("/")
    for n in range(ROUNDS):
        page.get_by_label("Search for").fill(f"holiday {n}")
        began = time.perf_counter()
        page.keyboard.press("Enter")
        page.wait_for_function(
            f"location.search.includes('holiday+{n}') && [...document.querySelectorAll('#grid .tile img')]"
            ".filter((picture) => picture.complete && picture.naturalWidth).length >= 4"
        )
        times.append((time.perf_counter() - began) * 1000)
    context.close()
    print(f"{'text query, Enter to four pictures':36}{statistics.median(times):9.1f} ms")
    return statistics.median(times) < PICTURES_MS


def touched(browser, site: Site, state) -> bool:
    """How long keys and clicks take to show, with TILES tiles loaded; whether within the limit.

    As https://web.dev/articles/inp counts it: the longest of these few interactions, from event to paint.
    """
    context = browser.new_context(base_url=site.url, storage_state=state, bypass_csp=True)
    page = context.new_page()
    page.goto("/images/")
    while (loaded := page.locator("#grid .tile").count()) < TILES:
        page.get_by_role("link", name="Show more").click()
        page.wait_for_function(f"document.querySelectorAll('#grid .tile').length > {loaded}")
    page.evaluate(
        "window.spans = []; new PerformanceObserver((list) => window.spans.push(...list.getEntries()"
        ".filter((one) => one.interactionId).map((one) => one.duration)))"
        ".observe({ type: 'event', durationThreshold: 16 })"
    )
    page.locator("#grid .tile a").nth(TILES - 20).focus()
    for key in ["x", "ArrowRight", "x", "ArrowDown", "x", "ArrowUp", "Escape"] * 3:
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    for pick in range(5):
        page.locator("#grid .pick").nth(TILES - 20 + pick).click()
        page.wait_for_timeout(100)
    longest = page.evaluate("Math.max(0, ...window.spans)")
    context.close()
    print(f"{f'interaction to next paint, {loaded} tiles':36}{longest:9.1f} ms")
    return longest < INTERACTION_MS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    count = parser.parse_args().images
    os.environ["READ_TEXT"] = "off"  # the worker rests, as on a site that is up to date
    with tempfile.TemporaryDirectory() as var, running(Path(var)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        context = browser.new_context(base_url=site.url)
        page = context.new_page()
        sign_in(page, site.password)
        wait_for(lambda: all_ready(page))
        fill(site, count)
        began = time.perf_counter()
        page.goto("/", timeout=600_000)  # has the index written
        print(
            f"{count} pictures in {ALBUMS} albums of {PER_ALBUM}, {MEMBERS} members; index written in",
            end=" ",
        )
        print(f"{time.perf_counter() - began:.0f} s, on {os.cpu_count()} cores")
        page.goto("about:blank")
        time.sleep(SETTLED)
        state = context.storage_state()
        cookies = {"owner": _cookie(state)}
        member = browser.new_context(base_url=site.url)
        page = member.new_page()
        sign_in(page, site.password, "member7")
        cookies["member"] = _cookie(member.storage_state())
        good = lists(site, cookies, LISTS, LIMIT_MS)
        good = lists(site, {"owner": cookies["owner"]}, [f"/admin/{own}" for own in ADMIN], ADMIN_MS) and good
        for part in (browsed, answered, touched):
            good = part(browser, site, state) and good
        browser.close()
    print("all within the limits" if good else "NOT all within the limits")
    return 0 if good else 1


def _cookie(state) -> str:
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in state["cookies"])


if __name__ == "__main__":
    sys.exit(main())
