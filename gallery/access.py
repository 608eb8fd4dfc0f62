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
    return _albums_with_role(user, *AlbumMember.Role.values)


def _albums_with_role(user: AbstractBaseUser, *roles: str) -> QuerySet[Album]:
    """The albums that `user` owns or is a member of in one of these roles."""
    memberships = AlbumMember.objects.filter(user_id=user.pk, role__in=roles)
    return Album.objects.filter(Q(owner_id=user.pk) | Q(pk__in=memberships.values("album_id")))


def owned_albums(user: AbstractBaseUser) -> QuerySet[Album]:
    """The albums whose members `user` may change, and which they may delete."""
    return Album.objects.filter(owner_id=user.pk)


def editable_albums(user: AbstractBaseUser) -> QuerySet[Album]:
    """The albums that `user` may rename, and take any picture out of: as owner or editor."""
    return _albums_with_role(user, AlbumMember.Role.EDITOR)


def fillable_albums(user: AbstractBaseUser) -> QuerySet[Album]:
    """The albums that `user` may put their own pictures into: as owner, editor or contributor."""
    return _albums_with_role(user, AlbumMember.Role.EDITOR, AlbumMember.Role.CONTRIBUTOR)


def addable_images(user: AbstractBaseUser) -> QuerySet[Image]:
    """The pictures that `user` may put into albums: their own, for an album shows its pictures to others."""
    return Image.objects.filter(owner_id=user.pk or 0)


def removable_album_images(user: AbstractBaseUser, album: Album) -> QuerySet[AlbumImage]:
    """What `user` may take out of an album: anything as owner or editor, as contributor their own pictures."""
    own = Q(album__in=fillable_albums(user), image__owner_id=user.pk)
    return AlbumImage.objects.filter(Q(album__in=editable_albums(user)) | own, album=album)


def removable_memberships(user: AbstractBaseUser, album: Album) -> QuerySet[AlbumMember]:
    """The memberships of an album that `user` may end: as its owner anyone's, otherwise their own."""
    return AlbumMember.objects.filter(Q(album__in=owned_albums(user)) | Q(user_id=user.pk), album=album)


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
    shared = AlbumImage.objects.filter(album__in=editable_albums(user)).values("image_id")
    return Image.objects.filter(Q(owner_id=user.pk or 0) | Q(pk__in=shared))


def owned(rows: QuerySet, user: AbstractBaseUser) -> QuerySet:
    """Those of the rows, of any model with an owner, that are `user`'s own and nobody else's business."""
    return rows.filter(owner_id=user.pk or 0)


def may_see_error(user: AbstractBaseUser, image: Image) -> bool:
    """Whether `user` is told why reading `image` failed: its owner is."""
    return image.owner_id == user.pk
