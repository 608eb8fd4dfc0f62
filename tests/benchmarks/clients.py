"""How many searches a second a site answers, and what its processes take of memory: `make bench` runs it.

A real site holds as many pictures as --images says; one, four and eight clients ask its API for searches:
each with words that nobody asked with before, and then with those that people ask with again and again.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.benchmarks.pages import fill
from tests.browser.running import Site, running, wait_for

SECONDS = 8
WORDS = [
    "beach",
    "dog",
    "snow",
    "party",
    "red car",
    "birthday cake",
    "sunset",
    "kitchen",
    "old boat",
    "street",
]


class Client:
    """One client, with a connection that stays open."""

    def __init__(self, site: Site, token: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self.times: list[float] = []

    def ask(self, text: str) -> dict:
        began = time.perf_counter()
        body = json.dumps({"text": text, "limit": 20})
        self.connection.request("POST", "/api/v1/search/", body, self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status == 503:
            raise OSError("not ready yet")
        assert answer.status == 200, (answer.status, said[:200])
        self.times.append(time.perf_counter() - began)
        return json.loads(said)


def token(site: Site) -> str:
    body = json.dumps({"username": "admin", "password": site.password})
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    connection.request("POST", "/api/v1/token/", body, {"Content-Type": "application/json"})
    return json.loads(connection.getresponse().read())["token"]


def load(site: Site, key: str, clients: int, fresh: bool) -> tuple[float, float, float]:
    """Searches a second, median and 95th percentile of an answer in milliseconds."""
    people = [Client(site, key) for _ in range(clients)]
    until = time.perf_counter() + SECONDS

    def work(number: int) -> None:
        turn = 0
        while time.perf_counter() < until:
            word = WORDS[(turn + number) % len(WORDS)]
            people[number].ask(f"{word} {time.time_ns()}" if fresh else word)
            turn += 1

    threads = [threading.Thread(target=work, args=[number]) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [own * 1000 for person in people for own in person.times]
    took = time.perf_counter() - began
    return len(times) / took, statistics.median(times), statistics.quantiles(times, n=20)[-1]


def memory(site: Site) -> None:
    """Print each process's own share of memory (PSS)."""
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        try:
            if (process.info["environ"] or {}).get("PICFUSION_VAR_DIR") == str(site.var):
                pss = process.memory_full_info().pss / 1e6
                name = " ".join(process.info["cmdline"])[-60:]
                print(f"{pss:8.0f} MB  {name}")
        except psutil.Error:
            continue


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    count = parser.parse_args().images
    os.environ |= {"READ_TEXT": "off", "API_REQUESTS_PER_MINUTE": "0"}
    with tempfile.TemporaryDirectory() as var, running(Path(var)) as site:
        key = token(site)
        wait_for(lambda: Client(site, key).ask("a dog")["count"] >= 21)
        fill(site, count)
        began = time.perf_counter()
        people = Client(site, key)
        wait_for(lambda: people.ask("a dog")["count"] > count, 900)
        print(
            f"{count} pictures that came at once were found {time.perf_counter() - began:.0f} s later;",
            end=" ",
        )
        print(f"the slowest search meanwhile took {max(people.times) * 1000:.0f} ms")
        time.sleep(20)
        memory(site)
        for fresh in (True, False):
            for clients in (1, 4, 8):
                rate, median, late = load(site, key, clients, fresh)
                words = "new words" if fresh else "words asked before"
                print(f"{clients} clients, {words}: {rate:6.1f} a second, {median:.0f} ms, p95 {late:.0f}")
        memory(site)
    return 0


if __name__ == "__main__":
    sys.exit(main())
