"""People at work, and what has to be true of what they were told."""

import hashlib
import io
import random
import threading
from dataclasses import dataclass, field

import requests
from PIL import Image

from tests.chaos.site import Site


def picture(chance: random.Random) -> bytes:
    """A small JPEG that nobody has yet."""
    buffer = io.BytesIO()
    size = (chance.randrange(60, 400), chance.randrange(60, 400))
    noise = Image.frombytes("RGB", (8, 8), chance.randbytes(192)).resize(size, Image.Resampling.BICUBIC)
    noise.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@dataclass
class Person:
    """Does things by the API, and remembers what was answered; what got no answer may have happened."""

    site: Site
    name: str
    token: str
    chance: random.Random
    others: list[str]
    kept: dict[int, bytes] = field(default_factory=dict)  # by number: accepted, and not thrown away since
    thrown_away: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)  # pictures whose last change got no answer
    tags: dict[int, set[str]] = field(default_factory=dict)
    album: int | None = None
    errors: list[str] = field(default_factory=list)  # answers that nobody should get
    answered: int = 0
    unanswered: int = 0

    def work(self, end: threading.Event) -> None:
        """Do one thing after the other."""
        deeds = (self.upload,) * 5 + (self.search,) * 2 + (self.tag, self.throw_away, self.share, self.fetch)
        while not end.is_set():
            self.chance.choice(deeds)()
            end.wait(self.chance.uniform(0.02, 0.2))

    def ask(self, method: str, path: str, **options) -> requests.Response | None:
        """An answer; None where there was none, or one that says to come back later."""
        try:
            answer = requests.request(
                method, f"{self.site.url}/api/v1/{path}", headers={"Authorization": f"Token {self.token}"},
                timeout=60, **options,
            )  # fmt: skip
        except requests.RequestException:
            self.unanswered += 1
            return None
        if answer.status_code in (429, 503, 507):
            self.unanswered += 1
            return None
        self.answered += 1
        if answer.status_code >= 500:
            self.errors.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer

    def upload(self) -> None:
        content = picture(self.chance)
        answer = self.ask("POST", "images/", files={"file": ("chaos.jpg", content)})
        if answer is not None and answer.status_code in (200, 201):
            if answer.json()["sha256"] != hashlib.sha256(content).hexdigest():
                self.errors.append("another picture was stored than was sent")
            self.kept[answer.json()["id"]] = content
        elif answer is not None:
            self.errors.append(f"a good upload was refused: {answer.status_code} {answer.text[:200]}")

    def search(self) -> None:
        answer = self.ask(
            "POST", "search/", json={"text": self.chance.choice(["red", "a dog", "chaos", "night"])}
        )
        if answer is not None and answer.status_code != 200:
            self.errors.append(f"search: {answer.status_code}")

    def tag(self) -> None:
        if self.kept:
            pk, name = self.chance.choice(list(self.kept)), self.chance.choice(["sea", "ana", "2026", "x y"])
            answer = self.ask("POST", f"images/{pk}/tags/", json={"name": name})
            if answer is not None and answer.status_code == 201:
                self.tags.setdefault(pk, set()).add(name)

    def throw_away(self) -> None:
        if len(self.kept) > 5:
            pk = self.chance.choice(list(self.kept))
            answer = self.ask("DELETE", f"images/{pk}/")
            if answer is None:
                self.unsure.add(pk)
            elif answer.status_code == 204:
                del self.kept[pk]
                self.thrown_away.add(pk)

    def share(self) -> None:
        """Put a picture into an album; who is in it is decided once, before."""
        if self.album and self.kept:
            self.ask(
                "POST", f"albums/{self.album}/images/", json={"image_id": self.chance.choice(list(self.kept))}
            )

    def fetch(self) -> None:
        if self.kept:
            pk = self.chance.choice(list(self.kept))
            answer = self.ask("GET", f"images/{pk}/original/")
            if answer is None or answer.content == self.kept[pk]:
                return
            told = self.ask("GET", f"images/{pk}/") if pk in self.unsure else None
            if answer.status_code == 404 and told is not None and told.status_code == 404:
                self.unsure.discard(pk)  # the whole picture went, though nobody could say so then
                del self.kept[pk]
                self.thrown_away.add(pk)
                return
            self.errors.append(f"original of {pk}: {answer.status_code}, not what was uploaded")

    def check(self, strangers: list["Person"]) -> list[str]:
        """Everything that was accepted is there, byte for byte, and is nobody else's."""
        wrong = []
        for pk, content in self.kept.items():
            answer = self.ask("GET", f"images/{pk}/original/")
            is_lost = answer is None or answer.status_code != 200 or answer.content != content
            if is_lost and pk not in self.unsure:
                wrong.append(f"{self.name}'s picture {pk} is lost: {answer and answer.status_code}")
            told = self.ask("GET", f"images/{pk}/")
            names = (
                {own["name"] for own in told.json().get("tags", [])}
                if told is not None and told.ok
                else set()
            )
            if not is_lost and not self.tags.get(pk, set()) <= names:
                wrong.append(f"{self.name}'s picture {pk} lost a tag")
        shared = {own["id"] for own in self._album()}
        for pk in list(self.kept)[:20]:
            for other in strangers:
                answer = other.ask("GET", f"images/{pk}/")
                may = pk in shared and other.name in self.others
                if answer is not None and (answer.status_code == 200) != may and pk not in self.unsure:
                    wrong.append(f"{other.name} {'sees' if answer.ok else 'does not see'} {self.name}'s {pk}")
        for pk in list(self.thrown_away)[:20]:
            answer = self.ask("GET", f"images/{pk}/")
            if answer is not None and answer.status_code != 404:
                wrong.append(f"{self.name}'s picture {pk} is back from the trash")
        return wrong

    def _album(self) -> list[dict]:
        answer = (
            self.ask("GET", f"albums/{self.album}/images/", params={"limit": 500}) if self.album else None
        )
        return answer.json()["results"] if answer is not None and answer.ok else []
