"""`python -m tests.chaos`: people at work while processes die, the disk fills and the clock jumps."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.chaos.people import Person
from tests.chaos.site import Site

NAMES = ["ana", "ben", "carl", "dora"]
DISK_MB = 400
SHARE = """
from django.contrib.auth.models import User
from gallery.models import Album, AlbumMember
for name, other in {pairs}:
    album = Album.objects.create(owner=User.objects.get(username=name), title="Shared")
    AlbumMember.objects.create(album=album, user=User.objects.get(username=other))
    print("ALBUM", name, album.pk)
"""


def main() -> int:
    """Run it; what came of it as JSON, and 1 where anything was lost or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--kills", type=int, default=10**6, help="stop sooner, after so many")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two kills, on average")
    parser.add_argument("--steady", action="store_true", help="leave the clock alone")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        report = run(Path(place), options)
    print(json.dumps(report, indent=1))
    return 1 if report["wrong"] or report["errors"] else 0


def run(place: Path, options: argparse.Namespace) -> dict:
    """Let it happen in a folder, with a disk of its own where this machine allows that."""
    chance = random.Random(options.seed)
    var = place / "var"
    var.mkdir(mode=0o700)
    has_disk = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "tmpfs", str(var)], check=False
        ).returncode
    )
    site = Site(var)
    try:
        site.manage("migrate", "-v0")
        people = _people(site, chance)
        keeper = threading.Thread(target=site.keep_running)
        keeper.start()
        site.wait_until_up()
        _disturb(site, people, chance, options, has_disk)
        report = _judge(site, people)
    finally:
        site.stop()
        if has_disk:
            subprocess.run(["umount", "-l", str(var)], check=False)
    return report | {"seed": options.seed, "disk": has_disk}


def _people(site: Site, chance: random.Random) -> list[Person]:
    tokens = site.people(NAMES)
    pairs = list(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    lines = site.manage("shell", "-c", SHARE.format(pairs=pairs)).stdout.splitlines()
    albums = {own[1]: int(own[2]) for own in map(str.split, lines) if own[:1] == ["ALBUM"]}
    return [
        Person(site, name, tokens[name], random.Random(chance.random()), [other], album=albums[name])
        for name, other in pairs
    ]


def _disturb(
    site: Site, people: list[Person], chance: random.Random, options: argparse.Namespace, has_disk: bool
) -> None:
    """Kill, fill and jump while people work."""
    end = threading.Event()
    threads = [threading.Thread(target=person.work, args=[end]) for person in people]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60 * options.minutes
    filling = site.folder / "filling"
    while time.monotonic() < until and site.kills < options.kills:
        time.sleep(chance.uniform(0.2, 2 * options.pause))
        site.kill_one(chance)
        event = chance.random()
        if event < 0.1 and has_disk:
            subprocess.run(
                ["fallocate", "-l", f"{DISK_MB - 5}M", str(filling)], check=False, capture_output=True
            )
            subprocess.run(["dd", "if=/dev/zero", f"of={filling}", "bs=1M", "conv=notrunc", "oflag=append"],
                           check=False, capture_output=True)  # fmt: skip
        elif event < 0.4:
            filling.unlink(missing_ok=True)
        elif event < 0.55 and not options.steady:
            site.clock.jump(chance)
    filling.unlink(missing_ok=True)
    end.set()
    for thread in threads:
        thread.join()


def _judge(site: Site, people: list[Person]) -> dict:
    """Wait until everything is read, and compare with what people were told."""
    site.wait_until_up()
    until = time.monotonic() + 180
    while time.monotonic() < until:
        waiting = [person.ask("GET", "images/", params={"status": state}) for person in people
                   for state in ("pending", "processing")]  # fmt: skip
        if all(answer is not None and answer.json()["count"] == 0 for answer in waiting):
            break
        time.sleep(1)
    wrong = [] if time.monotonic() < until else ["pictures are still waiting after three minutes"]
    for person in people:
        wrong += person.check([other for other in people if other is not person])
    site.manage("verify", "--from-start", "--fix")  # files whose upload was cut off are put aside
    verified = site.manage("verify", "--from-start")
    if verified.returncode:
        wrong.append(f"verify: {verified.stdout[-500:]}{verified.stderr[-500:]}")
    return {
        "kills": site.kills,
        "jumps": site.clock.jumps,
        "accepted": sum(len(person.kept) + len(person.thrown_away) for person in people),
        "answers": sum(person.answered for person in people),
        "unanswered": sum(person.unanswered for person in people),
        "errors": [error for person in people for error in person.errors][:20],
        "wrong": wrong[:20],
    }


if __name__ == "__main__":
    sys.exit(main())
