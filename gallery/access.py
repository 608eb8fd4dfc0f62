"""Who may see and change what. The only place that decides; everything else asks here.

A person sees the pictures they own and those in albums they own or are a member of. Administrators look after
everybody's pictures in the admin site, where Django's permissions let them; elsewhere they are people like others.
What someone may not see does not exist for them: callers answer 404.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q, QuerySet

from gallery.models import Album, AlbumImage, AlbumMember, Image


@dataclass(frozen=True)
class Scope:
    """What a person may see, in terms that a query and an in-memory mask can both apply:
    an image is visible when its owner is `owner_id` or one of its albums is in `album_ids`."""

    owner_id: int
    album_ids: frozenset[int]


def visible_albums(user: AbstractBaseUser) -> QuerySet[Album]:
    """The albums that `user` owns or is a member of."""
    return Album.objects.filter(Q(owner_id=user.pk) | Q(memberships__user_id=user.pk)).distinct()


def scope(user: AbstractBaseUser) -> Scope:
    """What `user` may see, read from the database at this moment."""
    return Scope(owner_id=user.pk or 0, album_ids=frozenset(visible_albums(user).values_list("id", flat=True)))


def visible_images(user: AbstractBaseUser) -> QuerySet[Image]:
    """The pictures that `user` may see."""
    limits = scope(user)
    if not limits.album_ids:
        return Image.objects.filter(owner_id=limits.owner_id)
    shared = AlbumImage.objects.filter(album_id__in=limits.album_ids).values("image_id")
    return Image.objects.filter(Q(owner_id=limits.owner_id) | Q(pk__in=shared))


def servable_images(user: AbstractBaseUser) -> QuerySet[Image]:
    """The pictures whose thumbnail and original `user` may be sent: the visible ones, and every one for people whom
    the admin site lets look at pictures."""
    if user.is_active and user.is_staff and user.has_perm("gallery.view_image"):
        return Image.objects.all()
    return visible_images(user)


def deletable_images(user: AbstractBaseUser) -> QuerySet[Image]:
    """The pictures that `user` may delete: their own."""
    return Image.objects.filter(owner_id=user.pk or 0)


def taggable_images(user: AbstractBaseUser) -> QuerySet[Image]:
    """The pictures whose tags `user` may change: their own, and those in albums they own or edit."""
    edited = Album.objects.filter(
        Q(owner_id=user.pk) | Q(memberships__user_id=user.pk, memberships__role=AlbumMember.Role.EDITOR)
    )
    shared = AlbumImage.objects.filter(album__in=edited).values("image_id")
    return Image.objects.filter(Q(owner_id=user.pk or 0) | Q(pk__in=shared))


def may_see_error(user: AbstractBaseUser, image: Image) -> bool:
    """Whether `user` is told why reading `image` failed: its owner is."""
    return image.owner_id == user.pk
