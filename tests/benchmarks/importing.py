"""A large import: how fast the worker reads photos of a camera's size, and how pages fare meanwhile.

A real site gets rows of pictures that wait, whose originals are links to a few hundred JPEGs of some 3 MB,
drawn from the demo photos. While the worker reads them, pages are asked for and memory is looked at.
"""

import argparse
import io
import os
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import sync_playwright

from gallery import demo
from tests.benchmarks.pages import FIRST, _insert, _table
from tests.browser.running import CHROMIUM, Site, all_ready, chromium_path, running, sign_in, wait_for

SIZE = (4000, 3000)
PAUSE, LOOKS = 4, 6  # seconds between two rounds of pages, and rounds between two looks at memory
PAGES = ["/", "/images/", "/albums/", "/?q=dog", "/api/v1/images/"]


def draw(photo: Path, to: Path, number: int) -> int:
    """Write a JPEG of a camera's size and weight; its bytes."""
    random = np.random.default_rng(number)
    with Image.open(photo) as opened:
        picture = np.asarray(opened.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC), np.int16)
    grain = random.integers(-9, 10, (SIZE[1], SIZE[0], 1), np.int16)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=86)
    to.write_bytes(buffer.getvalue())
    return len(buffer.getvalue())


def fill(site: Site, files: list[Path], count: int) -> None:
    """Rows of pictures that wait, each with a link of its own to one of the files."""
    folder = site.var / "originals" / "1" / "links"
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        os.link(files[n % len(files)], folder / f"{n}.jpg")
    with sqlite3.connect(site.var / "picfusion.sqlite3", timeout=60) as database:
        (admin,) = database.execute("SELECT id FROM auth_user WHERE username = 'admin'").fetchone()
        columns = [name for name, *_rest in _table(database, "gallery_image")]
        [demo_row] = database.execute(f"SELECT {', '.join(columns)} FROM gallery_image LIMIT 1").fetchall()
        same = {"owner_id": admin, "status": "pending", "is_text_read": 1, "format": "JPEG", "attempts": 0}
        same |= {"perceptual_hash": None, "color": None, "colors": ""}  # which nobody knows yet
        rows = []
        for n in range(count):
            own = {
                "id": FIRST + n,
                "original": f"1/links/{n}.jpg",
                "sha256": f"{n:064x}",
                "size_bytes": files[n % len(files)].stat().st_size,
                "width": SIZE[0],
                "height": SIZE[1],
            }
            rows.append(tuple((dict(zip(columns, demo_row, strict=True)) | same | own).values()))
        _insert(database, "gallery_image", rows, columns)


def ready(site: Site) -> int:
    """How many of them have been read."""
    with sqlite3.connect(site.var / "picfusion.sqlite3", timeout=60) as database:
        sql = "SELECT count(*) FROM gallery_image WHERE id >= ? AND status = 'ready'"
        return database.execute(sql, [FIRST]).fetchone()[0]


def memory(site: Site) -> dict[str, float]:
    """MB (PSS) of the worker, and of the web server, each with all its processes and decoders."""
    found = {"worker": 0.0, "web": 0.0}
    for process in psutil.process_iter(["environ"]):
        try:
            if (process.info["environ"] or {}).get("PICFUSION_VAR_DIR") != str(site.var):
                continue
            line = " ".join([*process.cmdline(), *(own for up in process.parents() for own in up.cmdline())])
            kind = "worker" if "manage.py worker" in line else "web" if "gunicorn" in line else ""
            if kind:
                found[kind] += process.memory_full_info().pss / 1e6
        except psutil.Error:
            continue
    return found


def ask(site: Site, cookie: str, address: str) -> float:
    """Milliseconds of an answer."""
    request = urllib.request.Request(site.url + address, headers={"Cookie": cookie})
    began = time.perf_counter()
    urllib.request.urlopen(request, timeout=120).read()
    return (time.perf_counter() - began) * 1000


def watch(site: Site, cookie: str, count: int, seconds: float) -> None:
    """Ask for pages while pictures are read; what came of it, in the end."""
    wait_for(lambda: ready(site) > 0)
    began, first = time.perf_counter(), ready(site)
    times: dict[str, list[float]] = {address: [] for address in PAGES}
    most = {"worker": 0.0, "web": 0.0}
    done, rounds = first, 0
    while done < count and time.perf_counter() - began < seconds:
        for address in PAGES:
            times[address].append(ask(site, cookie, address))
        if rounds % LOOKS == 0:  # rarely: it stops a process for a while
            most = {kind: max(most[kind], own) for kind, own in memory(site).items()}
        rounds += 1
        time.sleep(PAUSE)
        done = ready(site)
    rate = (done - first) / (time.perf_counter() - began)
    print(f"{done} of {count} read, {rate:.1f} a second; most memory: ", end="")
    print(", ".join(f"{kind} {own:.0f} MB" for kind, own in most.items()))
    for address, own in times.items():
        print(f"{address:20} median {statistics.median(own):6.0f} ms, slowest {max(own):6.0f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=300, help="real ones, which the others are links to")
    parser.add_argument("--seconds", type=float, default=300, help="stop watching after so long")
    options = parser.parse_args()
    os.environ["READ_TEXT"] = "off"
    with tempfile.TemporaryDirectory() as folder:
        var, files = Path(folder) / "var", []
        var.mkdir(mode=0o700)
        photos = demo.photos()
        with ProcessPoolExecutor() as pool:
            files = [Path(folder) / f"{n}.jpg" for n in range(options.files)]
            chosen = [photos[n % len(photos)] for n in range(options.files)]
            sizes = list(pool.map(draw, chosen, files, range(options.files)))
        print(f"{options.images} links to {len(files)} JPEGs of {statistics.mean(sizes) / 1e6:.1f} MB, 12 MP")
        with running(var) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
            page = browser.new_context(base_url=site.url).new_page()
            sign_in(page, site.password)
            wait_for(lambda: all_ready(page))
            cookie = "; ".join(f"{own['name']}={own['value']}" for own in page.context.cookies())
            browser.close()
            fill(site, files, options.images)
            watch(site, cookie, options.images, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
