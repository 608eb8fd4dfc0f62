"""Sharing, unsharing, trashing and deleting at random.

After every step, every way to a picture agrees with the rules written down a second time, in twenty lines.
"""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gallery.models import Album, AlbumImage, AlbumMember, Image, ShareLink
from search import engine, suggestions
from search.live_index import live_index
from search.query.query import Query
from tests.gallery.test_pages import text_of

PICTURES = ("chelsea.png", "coffee.png", "rocket.jpg")
PEOPLE = ("ana", "bea", "cem")
picture, person, album = st.sampled_from(PICTURES), st.sampled_from(PEOPLE), st.integers(0, 1)


class Rules:
    """Who sees what, as a person would explain it."""

    def __init__(self):
        self.owner = dict(zip(PICTURES, PEOPLE, strict=True))
        self.trash: set[str] = set()
        self.inside: dict[int, set[str]] = {0: set(), 1: set()}  # album 0 is ana's, album 1 bea's
        self.members: dict[int, set[str]] = {0: set(), 1: set()}

    def sees(self, person: str) -> set[str]:
        own = {picture for picture, owner in self.owner.items() if owner == person}
        for number, pictures in self.inside.items():
            if person == PEOPLE[number] or person in self.members[number]:
                own |= pictures
        return own - self.trash


class Sharing(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.block = transaction.atomic()
        self.block.__enter__()
        live_index.forget()
        cache.clear()
        self.rules = Rules()
        self.people = {name: get_user_model().objects.create_user(name) for name in PEOPLE}
        self.clients = {name: Client() for name in PEOPLE}
        for name, client in self.clients.items():
            client.force_login(self.people[name])
        Image.objects.exclude(filename__in=PICTURES).delete()
        self.ids = dict(Image.objects.values_list("filename", "pk"))
        for name, owner in self.rules.owner.items():
            Image.objects.filter(filename=name).update(owner=self.people[owner])
        self.albums = [
            Album.objects.create(owner=self.people[owner], title=f"of {owner}") for owner in PEOPLE[:2]
        ]
        self.links = [ShareLink(owner=album.owner, album=album, title=album.title) for album in self.albums]
        self.tokens = [link.new_token() for link in self.links]
        for link in self.links:
            link.save()

    def teardown(self):
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def post(self, person: str, address: str, **form) -> int:
        return self.clients[person].post(address, form).status_code

    @rule(name=picture, number=album)
    def share(self, name, number):
        owner = self.rules.owner.get(name)
        if owner is None:
            return
        form = {"action": "add", "image": self.ids[name], "album": self.albums[number].pk}
        may = (
            owner == PEOPLE[number] and name not in self.rules.trash
        )  # members are viewers: they add nothing
        assert self.post(owner, "/selection/", **form) == (302 if may else 404)
        if may:
            self.rules.inside[number].add(name)

    @rule(name=picture, number=album)
    def unshare(self, name, number):
        address = f"/albums/{self.albums[number].pk}/images/{self.ids[name]}/remove"
        there = name in self.rules.inside[number] - self.rules.trash
        assert self.post(PEOPLE[number], address) == (302 if there else 404)
        if there:
            self.rules.inside[number].discard(name)

    @rule(who=person, number=album)
    def invite(self, who, number):
        if who != PEOPLE[number]:
            form = {"username": who, "role": "viewer"}
            assert self.post(PEOPLE[number], f"/albums/{self.albums[number].pk}/members", **form) == 302
            self.rules.members[number].add(who)

    @rule(who=person, number=album)
    def leave(self, who, number):
        member = AlbumMember.objects.filter(album=self.albums[number], user=self.people[who]).first()
        if member:
            assert self.post(who, f"/albums/{self.albums[number].pk}/members/{member.pk}/remove") == 302
            self.rules.members[number].discard(who)

    @rule(name=picture, who=person)
    def trash(self, name, who):
        may = self.rules.owner.get(name) == who and name not in self.rules.trash
        assert self.post(who, "/selection/", action="trash", image=self.ids[name]) == (302 if may else 404)
        if may:
            self.rules.trash.add(name)

    @precondition(lambda self: self.rules.trash)
    @rule(name=picture, who=person, action=st.sampled_from(["restore", "restore", "purge"]))
    def from_the_trash(self, name, who, action):
        may = self.rules.owner.get(name) == who and name in self.rules.trash
        assert self.post(who, "/selection/", action=action, image=self.ids[name]) == (302 if may else 404)
        if may:
            self.rules.trash.discard(name)
        if may and action == "purge":
            del self.rules.owner[name]
            for inside in self.rules.inside.values():
                inside.discard(name)

    @invariant()
    def every_way_agrees(self):
        for name, user in self.people.items() if hasattr(self, "people") else ():
            sees, client = self.rules.sees(name), self.clients[name]
            assert {r.image.filename for r in engine.search(Query(text="animal"), user).results} == sees
            listed = {row["filename"] for row in client.get("/api/v1/images/").json()["results"]}
            assert listed == sees
            assert f"{len(sees)} picture" in text_of(client.get("/images/"))
            cats = [own.count for own in suggestions.complete("tabby", user)]
            assert cats == ([1] if "chelsea.png" in sees else [])
            for picture, pk in self.ids.items():
                own_trash = picture in self.rules.trash and self.rules.owner.get(picture) == name
                expected = 200 if picture in sees else 404
                assert client.get(f"/images/{pk}/").status_code == expected
                assert client.get(f"/api/v1/images/{pk}/original/").status_code == expected
                thumbnail = client.get(f"/images/{pk}/thumbnail/small").status_code
                assert thumbnail == (200 if own_trash else expected)
        for number, album in enumerate(getattr(self, "albums", ())):
            shown = AlbumImage.objects.filter(album=album, image__trashed_at=None).count()
            assert shown == len(self.rules.inside[number] - self.rules.trash)
            for picture, pk in self.ids.items():  # to nobody in particular, by the album's link
                linked = picture in self.rules.inside[number] - self.rules.trash
                address = f"/s/{self.tokens[number]}/images/{pk}/thumbnail/small"
                assert Client().get(address).status_code == (200 if linked else 404)


@pytest.mark.django_db(transaction=False)
def test_every_way_to_a_picture_agrees_with_the_rules(curator):
    # Each step asks for every picture by every way as everyone: few of them, and none to make a failure
    # shorter.
    few = settings(
        max_examples=5,
        stateful_step_count=10,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Sharing, settings=few)
