"""Taking back the last thing that a person did with pictures.

What it takes is kept in their session, for an hour, of the last thing alone. Whether they still may is asked
anew: what they may not change any more stays as it is.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from gallery import access, corrections, trash
from gallery.access import AnyUser
from gallery.models import Album, AlbumImage, Favourite, Image, ImageTag, Tag
from gallery.models.image import DATE_FIELDS
from gallery.models.tag import normalize

KEPT = 3600  # seconds
FACTS = {"date": [*DATE_FIELDS, "corrected"], "place": ["latitude", "longitude", "place", "corrected"]}

Step = dict[str, Any]  # what JSON can hold; `kind` names the function that takes it back


def remember(request: HttpRequest, step: Step) -> None:
    """Keep what takes back what was just done, in the place of what was done before."""
    request.session["undo"] = step | {"until": int(time.time()) + KEPT}


def take_back(request: HttpRequest) -> int | None:
    """Take back the last thing that was done; with how many pictures, or None where nothing is kept."""
    step = request.session.pop("undo", None)
    if not step or step["until"] < time.time():
        return None
    with transaction.atomic():
        return KINDS[step["kind"]](request.user, step)


def of_ids(kind: str, ids: Iterable[int], **more: Any) -> Step:
    """Describe what is taken back by doing the opposite with these pictures."""
    return {"kind": kind, "ids": list(ids)} | more


def of_tags(images: QuerySet[Image], name: str) -> Step:
    """Describe what these pictures know of a tag before it is given to them or taken away."""
    rows = ImageTag.objects.filter(image__in=images.values("pk"), tag__name=normalize(name))
    before = rows.values_list("image_id", "confidence", "source", "extractor")
    return of_ids("tags", images.values_list("pk", flat=True), tag=normalize(name), rows=list(before))


def of_facts(images: QuerySet[Image], about: str) -> Step:
    """Describe what these pictures say of their date or place before it is corrected."""
    rows = {str(own.pop("pk")): own for own in images.values("pk", *FACTS[about])}
    texts = {pk: {name: _as_text(value) for name, value in own.items()} for pk, own in rows.items()}
    return {"kind": "facts", "about": about, "rows": texts}


def of_album(links: QuerySet[AlbumImage], album: Album) -> Step:
    """Describe what is in an album before it is taken out of it."""
    return {"kind": "join", "album": album.pk, "rows": list(links.values_list("image_id", "position"))}


def together(steps: list[Step]) -> Step:
    """Describe several steps that were one to the person who did them."""
    return {"kind": "together", "steps": steps}


def _as_text(value: Any) -> Any:
    return {"moment": value.isoformat()} if hasattr(value, "isoformat") else value


def _from_text(name: str, value: Any) -> Any:
    is_moment = isinstance(value, dict)
    field: Any = Image._meta.get_field(name)
    return field.to_python(value["moment"] if is_moment else value)


def _restore(user: AnyUser, step: Step) -> int:
    return trash.restore(access.trashed_images(user).filter(pk__in=step["ids"]))


def _trash(user: AnyUser, step: Step) -> int:
    return trash.move(access.deletable_images(user).filter(pk__in=step["ids"]))


def _tags(user: AnyUser, step: Step) -> int:
    ids = set(access.taggable_images(user).filter(pk__in=step["ids"]).values_list("pk", flat=True))
    tag_id = Tag.objects.ids_for({step["tag"]})[step["tag"]]
    ImageTag.objects.filter(image__in=ids, tag_id=tag_id).delete()
    ImageTag.objects.bulk_create(
        ImageTag(image_id=pk, tag_id=tag_id, confidence=confidence, source=source, extractor=extractor)
        for pk, confidence, source, extractor in step["rows"]
        if pk in ids
    )
    return len(ids)


def _leave(user: AnyUser, step: Step) -> int:
    album = access.visible_albums(user).filter(pk=step["album"]).first()
    if album is None:
        return 0
    links = access.removable_album_images(user, album).filter(image__in=step["ids"])
    return AlbumImage.objects.filter(pk__in=list(links.values_list("pk", flat=True))).delete()[0]


def _join(user: AnyUser, step: Step) -> int:
    positions = dict(step["rows"])
    if access.editable_albums(user).filter(pk=step["album"]).exists():  # who took others' out puts them back
        found = Image.objects.filter(access.untrashed(), pk__in=positions)
    elif access.fillable_albums(user).filter(pk=step["album"]).exists():
        found = access.addable_images(user).filter(pk__in=positions)
    else:
        return 0
    links = [
        AlbumImage(album_id=step["album"], image_id=pk, position=positions[pk], added_by_id=user.pk)
        for pk in found.order_by("pk").values_list("pk", flat=True)
    ]
    AlbumImage.objects.bulk_create(links, ignore_conflicts=True)
    return len(links)


def _facts(user: AnyUser, step: Step) -> int:
    may = access.placeable_images if step["about"] == "place" else access.correctable_images
    ids = may(user).filter(pk__in=[int(pk) for pk in step["rows"]]).values_list("pk", flat=True)
    for pk in ids:
        own = {name: _from_text(name, value) for name, value in step["rows"][str(pk)].items()}
        Image.objects.filter(pk=pk).update(**own)
    return len(ids)


def _turn(user: AnyUser, step: Step) -> int:
    images = access.correctable_images(user).filter(pk__in=step["ids"])
    return corrections.turn(Image.objects.filter(pk__in=images.values("pk")), step["quarters"])


def _unlove(user: AnyUser, step: Step) -> int:
    return access.favourites(user).filter(image__in=step["ids"]).delete()[0]


def _love(user: AnyUser, step: Step) -> int:
    images = access.visible_images(user).filter(pk__in=step["ids"])
    Favourite.objects.bulk_create(
        [Favourite(user_id=user.pk or 0, image=own) for own in images], ignore_conflicts=True
    )
    return len(images)


def _together(user: AnyUser, step: Step) -> int:
    return max((KINDS[own["kind"]](user, own) for own in step["steps"]), default=0)


KINDS: dict[str, Callable[[AnyUser, Step], int]] = {
    "restore": _restore,
    "trash": _trash,
    "tags": _tags,
    "leave": _leave,
    "join": _join,
    "facts": _facts,
    "turn": _turn,
    "unlove": _unlove,
    "love": _love,
    "together": _together,
}
