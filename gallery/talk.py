"""Comments and hearts under an album's pictures, and what went on in an album lately."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from gallery import access
from gallery.access import AnyUser
from gallery.models import Album, AlbumImage, Comment, Heart, Image

MOST = 5  # albums whose talk a picture's page shows
LATEST = 200  # events of each kind that an album tells
SHOWN = 8  # pictures of one event


@dataclass
class Talk:
    """What an album's people say under one of its pictures."""

    album: Album
    comments: list[Comment] = field(default_factory=list)
    hearts: list[str] = field(default_factory=list)  # who gave one
    is_liked: bool = False  # by the person who looks


def place(user: AnyUser, album: int, image: int) -> AlbumImage:
    """Return a picture in an album under which `user` may talk; Http404 where there is none."""
    found = get_object_or_404(access.talkative_albums(user), pk=album)
    return get_object_or_404(access.album_images(found).select_related("album", "image"), image_id=image)


def like(link: AlbumImage, person: User) -> None:
    """Tell the album's people that this person likes the picture."""
    Heart.objects.get_or_create(album=link.album, image=link.image, person=person)


def unlike(link: AlbumImage, person: User) -> None:
    """Take that back."""
    Heart.objects.filter(album=link.album, image=link.image, person=person).delete()


def under(image: Image, user: AnyUser, albums: Iterable[Album], first: int | None = None) -> list[Talk]:
    """Return the talk about the picture in these albums, which `user` sees, that of album `first` first."""
    albums = sorted((own for own in albums if own.allows_talk), key=lambda own: own.pk != first)[:MOST]
    if not albums:
        return []
    talks = {album.pk: Talk(album) for album in albums}
    removable = access.removable_comments(user).filter(pk=OuterRef("pk"))
    comments = Comment.objects.filter(album__in=albums, image=image).select_related("author")
    comments = comments.annotate(is_removable=Exists(removable))  # type: ignore[no-redef]
    for comment in reversed(comments.order_by("-pk")[:LATEST]):
        talks[comment.album_id].comments.append(comment)
    hearts = Heart.objects.filter(album__in=albums, image=image).select_related("person")
    for heart in hearts.annotate(is_own=Q(person_id=user.pk)).order_by("-is_own", "pk")[:LATEST]:
        talk = talks[heart.album_id]
        talk.hearts.append(heart.person.get_username())
        talk.is_liked |= heart.person_id == user.pk
    return list(talks.values())


@dataclass
class Event:
    """Something that somebody did in an album: on a day added or liked pictures, or commented on one."""

    kind: str  # added, liked or commented
    person: str
    at: datetime
    images: list[Image]
    count: int = 1
    text: str = ""


def activity(album: Album) -> list[Event]:
    """Return what went on in the album, latest first. What was added and liked in a day is one event."""
    inside = access.album_images(album).select_related("image", "added_by").order_by("-pk")[:LATEST]
    added = _by_day("added", ((link.added_by, link.added_at, link.image) for link in inside))
    if not album.allows_talk:
        return added
    seen = AlbumImage.objects.filter(access.untrashed("image__"), album=album).values("image")
    hearts = Heart.objects.filter(album=album, image__in=seen).select_related("image", "person")
    liked = _by_day(
        "liked", ((own.person, own.created_at, own.image) for own in hearts.order_by("-pk")[:LATEST])
    )
    comments = Comment.objects.filter(album=album, image__in=seen).select_related("image", "author")
    said = [
        Event("commented", own.author.get_username(), own.created_at, [own.image], text=own.text)
        for own in comments.order_by("-pk")[:LATEST]
    ]
    return sorted([*added, *liked, *said], key=lambda event: event.at, reverse=True)[:LATEST]


def _by_day(kind: str, rows: Iterable[tuple[User | None, datetime, Image]]) -> list[Event]:
    events: dict[tuple[str, date], Event] = {}
    for person, at, image in rows:
        name = person.get_username() if person else ""
        day = timezone.localtime(at).date()
        event = events.setdefault((name, day), Event(kind, name, at, [], 0))
        event.count += 1
        if len(event.images) < SHOWN:
            event.images.append(image)
    return list(events.values())
