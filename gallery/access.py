"""Who may see and change what. The only place that decides; everything else asks here.

A person sees the pictures they own and those in albums they own or are a member of, but for what is in the
trash, which its owner sees there and nobody anywhere else. Administrators look after everybody's pictures in
the admin site, where Django's permissions let them; elsewhere they are people like others. What someone may
not see does not exist for them: callers answer 404.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Manager,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from gallery.models import (
    AccessToken,
    Account,
    Album,
    AlbumImage,
    AlbumMember,
    Comment,
    Favourite,
    GuestPicture,
    Image,
    Invitation,
    PartialUpload,
    ShareLink,
)

AnyUser = User | AnonymousUser
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Scope:
    """What a person may see, in terms that a query and an in-memory mask can both apply.

    An image is visible when its owner is `owner_id` or one of its albums is in `album_ids`. Where it was
    taken is told when its owner is, or one of its albums is in `telling_album_ids`.
    """

    owner_id: int
    album_ids: frozenset[int]
    telling_album_ids: frozenset[int]
    album_titles: Mapping[int, str]

    def albums_called(self, words: set[str], words_of: Callable[[str], Iterable[str]]) -> tuple[int, ...]:
        """Return the albums whose title has one of the words, as `words_of` cuts it."""
        titles = self.album_titles.items()
        return tuple(album_id for album_id, title in titles if not words.isdisjoint(words_of(title)))


def untrashed(image: str = "") -> Q:
    """Return the rule that nobody sees what is in the trash, for rows whose picture is at path `image`."""
    return Q(**{f"{image}trashed_at": None})


def visible_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums that `user` owns or is a member of."""
    return _albums_with_role(user, *AlbumMember.Role.values)


def _albums_with_role(user: AnyUser, *roles: str) -> QuerySet[Album]:
    """Return the albums that `user` owns or is a member of in one of these roles."""
    memberships = AlbumMember.objects.filter(user_id=user.pk or 0, role__in=roles)
    return Album.objects.filter(Q(owner_id=user.pk) | Q(pk__in=memberships.values("album_id")))


def owned_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums whose members `user` may change, and which they may delete."""
    return Album.objects.filter(owner_id=user.pk)


def editable_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums that `user` may rename, arrange and take any picture out of: as owner or editor."""
    return _albums_with_role(user, AlbumMember.Role.EDITOR)


def fillable_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums that `user` may put their own pictures into: as owner, editor or contributor."""
    return _albums_with_role(user, AlbumMember.Role.EDITOR, AlbumMember.Role.CONTRIBUTOR)


def addable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures that `user` may put into albums: their own, for that shows them to others."""
    return own_images(user)


def own_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures that `user` owns, without those in the trash."""
    return Image.objects.filter(untrashed(), owner_id=user.pk or 0)


def _number_of(links: QuerySet[AlbumImage]) -> Coalesce:
    counted = links.filter(album=OuterRef("pk")).order_by().values("album").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number"), output_field=IntegerField()), Value(0))


def with_pictures(albums: QuerySet[Album]) -> QuerySet[Album]:
    """Annotate albums with `pictures`, how many each shows, and `cover_id_or_latest`.

    The latter is its chosen cover, or else the picture that was added last; None where there is none.

    What is in the trash is counted by itself and taken off: it is little, and an album's links alone are
    counted from an index, without looking at each picture.
    """
    seen = AlbumImage.objects.filter(untrashed("image__"), album=OuterRef("pk"))
    # By their numbers, which are looked up first: joined, every link's picture would be looked at.
    trashed = AlbumImage.objects.filter(
        image_id__in=Image.objects.filter(trashed_at__isnull=False).values("pk")
    )
    return albums.annotate(
        pictures=_number_of(AlbumImage.objects.all()) - _number_of(trashed),
        cover_id_or_latest=Coalesce(
            Subquery(seen.filter(image=OuterRef("cover")).values("image_id")[:1]),
            Subquery(seen.order_by("-image_id").values("image_id")[:1]),
        ),
    )


def with_role(albums: QuerySet[Album], user: AnyUser) -> QuerySet[Album]:
    """Annotate albums with `my_role`: the person's role as a member; None where they are none."""
    own = AlbumMember.objects.filter(album=OuterRef("pk"), user_id=user.pk or 0)
    return albums.annotate(my_role=Subquery(own.values("role")[:1]))  # type: ignore[no-redef]


def album_images(album: Album) -> QuerySet[AlbumImage]:
    """Return what everyone who sees the album sees in it."""
    return AlbumImage.objects.filter(untrashed("image__"), album=album)


def removable_album_images(user: AnyUser, album: Album) -> QuerySet[AlbumImage]:
    """Give what `user` may remove from an album.

    As owner or editor anything, as contributor their own pictures.
    """
    own = Q(album__in=fillable_albums(user), image__owner_id=user.pk)
    return album_images(album).filter(Q(album__in=editable_albums(user)) | own)


@dataclass(frozen=True)
class Rights:
    """What a person may do with one picture that they see."""

    is_own: bool  # then it may be deleted, placed, shared and put into albums
    may_tag: bool  # and be corrected


def rights(user: AnyUser, image: Image) -> Rights:
    """Return what `user` may do with a picture, as the lists of deletable and taggable pictures say."""
    own = own_images(user).filter(pk=image.pk).exists()
    return Rights(own, own or taggable_images(user).filter(pk=image.pk).exists())


def removable_from(user: AnyUser, image: Image) -> set[int]:
    """Return the numbers of the albums that `user` may take a picture out of."""
    links = AlbumImage.objects.filter(image=image)
    own = Q(album__in=fillable_albums(user), image__owner_id=user.pk)
    return set(links.filter(Q(album__in=editable_albums(user)) | own).values_list("album_id", flat=True))


def removable_memberships(user: AnyUser, album: Album) -> QuerySet[AlbumMember]:
    """Return the memberships of an album that `user` may end: as its owner anyone's, otherwise their own."""
    return AlbumMember.objects.filter(Q(album__in=owned_albums(user)) | Q(user_id=user.pk), album=album)


def scope(user: AnyUser) -> Scope:
    """Return what `user` may see, read from the database at this moment."""
    albums = list(visible_albums(user).values_list("id", "shows_location", "title"))
    return Scope(
        user.pk or 0,
        frozenset(album_id for album_id, _, _ in albums),
        frozenset(album_id for album_id, tells, _ in albums if tells),
        {album_id: title for album_id, _, title in albums},
    )


def visible_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures that `user` may see."""
    return visible_within(scope(user))


def visible_within(limits: Scope) -> QuerySet[Image]:
    """Return the pictures that whoever has this scope may see."""
    own = Q(owner_id=limits.owner_id)
    if limits.album_ids:
        # Asked for each picture that is not one's own, by its few albums: the list of all that is shared may
        # be of millions. Adding 0 keeps SQLite from trying every one of the person's albums with an index
        # instead.
        albums_of_it = AlbumImage.objects.filter(image=OuterRef("pk")).alias(number=F("album_id") + 0)
        own |= Q(Exists(albums_of_it.filter(number__in=limits.album_ids)))
    return Image.objects.filter(own, untrashed())


def next_numbers(limits: Scope, oldest_first: bool, beyond: int | None, most: int) -> list[int]:
    """Return the numbers of the `most` pictures that `visible_within` has next behind the number `beyond`.

    Each of the albums is asked for as many of its own: for limits of few albums.

    Written out: SQLite has no pieces of lists in a union but as tables, which Django does not write.
    """
    direction, after = ("ASC", ">") if oldest_first else ("DESC", "<")
    start = beyond if beyond is not None else (0 if oldest_first else 2**62)
    own = f"""SELECT * FROM (SELECT id AS number FROM gallery_image WHERE owner_id = %s AND trashed_at IS NULL
        AND id {after} %s ORDER BY id {direction} LIMIT %s) AS own"""
    inside = f"""SELECT * FROM (SELECT image_id AS number FROM gallery_albumimage
        JOIN gallery_image ON gallery_image.id = image_id
        WHERE album_id = %s AND trashed_at IS NULL AND image_id {after} %s
        ORDER BY image_id {direction} LIMIT %s) AS inside"""
    places = [limits.owner_id, *sorted(limits.album_ids)]
    union = " UNION ".join([own, *[inside] * len(limits.album_ids)])
    values = [value for place in places for value in (place, start, most)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number FROM ({union}) AS near ORDER BY 1 {direction} LIMIT %s", [*values, most]
        )
        return [number for (number,) in cursor.fetchall()]


def servable_images(user: AnyUser) -> QuerySet[Image]:
    """Give the pictures whose thumbnail and original `user` may be sent.

    The visible ones, their own in the trash and from guests, and all of them for people whom the admin site
    lets view pictures.
    """
    if may_administer_images(user):
        return Image.objects.all()
    return visible_images(user) | _hidden_images(user)


def may_administer_images(user: AnyUser) -> bool:
    """Whether the admin site lets `user` look at everybody's pictures."""
    return user.is_active and user.is_staff and user.has_perm("gallery.view_image")


def with_location(images: QuerySet[Image], user: AnyUser) -> QuerySet[Image]:
    """Return the pictures with `sees_location`: whether `user` may know where each was taken.

    Its owner may, and those who see it in an album that says so.
    """
    told = AlbumImage.objects.filter(
        image=OuterRef("pk"), album__in=visible_albums(user), album__shows_location=True
    )
    return images.annotate(  # type: ignore[no-redef]
        sees_location=Q(owner_id=user.pk or 0) | Exists(told)
    )


def as_seen_by(images: QuerySet[Image], user: AnyUser) -> QuerySet[Image]:
    """Return the pictures with `sees_location`, and `is_favourite`: whether `user` gave it a heart."""
    hearts = favourites(user).filter(image=OuterRef("pk"))
    return with_location(images, user).annotate(is_favourite=Exists(hearts))  # type: ignore[no-redef]


def may_tell_location(user: AnyUser, album: Album) -> bool:
    """Say whether `user` may share the locations of an album's pictures with its members.

    Only the owner may: editors could otherwise reveal them to themselves.
    """
    return album.owner_id == user.pk


def unread_images(user: AnyUser) -> QuerySet[Image]:
    """Return `user`'s own pictures that are not searchable: waiting, being read, or not readable. Few."""
    return own_images(user).exclude(status=Image.Status.READY)


def deletable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures that `user` may move to the trash: their own."""
    return own_images(user)


def stored_images(user: AnyUser) -> QuerySet[Image]:
    """Return `user`'s own pictures, those in the trash too, but for what guests sent and nobody took yet."""
    waiting = GuestPicture.objects.values("image")
    return Image.objects.filter(owner_id=user.pk or 0).exclude(trashed_at__isnull=False, pk__in=waiting)


def trashed_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures in `user`'s trash, which they may restore or permanently delete."""
    return _hidden_images(user).exclude(pk__in=GuestPicture.objects.values("image"))


def _hidden_images(user: AnyUser) -> QuerySet[Image]:
    return Image.objects.filter(owner_id=user.pk or 0, trashed_at__isnull=False)


def guest_pictures(user: AnyUser) -> QuerySet[GuestPicture]:
    """Return what guests sent to `user`, who accepts or declines it."""
    # Asked of each of the few: SQLite would else begin with all that the person owns.
    own = Image.objects.filter(pk=OuterRef("image_id"), owner_id=user.pk or 0)
    return GuestPicture.objects.filter(Exists(own))


def images_for(album: Album) -> QuerySet[Image]:
    """Return the pictures whose owners may put them into the album themselves."""
    members = AlbumMember.objects.filter(album=album).exclude(role=AlbumMember.Role.VIEWER)
    may = Q(owner=album.owner_id) | Q(owner__in=members.values("user"))
    return Image.objects.filter(may, untrashed())


def restorable_by_helpers() -> QuerySet[Image]:
    """Return what the admin site brings back from trashes: without what waits from guests."""
    waiting = GuestPicture.objects.values("image")
    return Image.objects.filter(trashed_at__isnull=False).exclude(pk__in=waiting)


def partial_uploads(user: AnyUser) -> QuerySet[PartialUpload]:
    """Return the files that `user` sends in pieces."""
    return PartialUpload.objects.filter(owner_id=user.pk or 0)


def talkative_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums under whose pictures `user` reads and writes comments and hearts."""
    return visible_albums(user).filter(allows_talk=True)


def removable_comments(user: AnyUser) -> QuerySet[Comment]:
    """Return the comments that `user` may take away: their own, and those in their own albums."""
    own = Q(author_id=user.pk or 0) | Q(album__in=owned_albums(user))
    return Comment.objects.filter(own, album__in=visible_albums(user))


def taggable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures whose tags `user` may change: their own, and those in albums they own or edit."""
    shared = AlbumImage.objects.filter(album__in=editable_albums(user)).values("image_id")
    return Image.objects.filter(Q(owner_id=user.pk or 0) | Q(pk__in=shared), untrashed())


def correctable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures whose caption, date and turn `user` may say: those whose tags they may change."""
    return taggable_images(user)


def placeable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures of which `user` may say where they were taken: their own."""
    return own_images(user)


def favourites(user: AnyUser) -> QuerySet[Favourite]:
    """Return `user`'s own hearts, also on pictures that they do not see any more."""
    return Favourite.objects.filter(user_id=user.pk or 0)


def owned(rows: Manager[Row] | QuerySet[Row], user: AnyUser) -> QuerySet[Row]:
    """Those of the rows, of any model with an owner, that are `user`'s own and nobody else's business."""
    return rows.filter(owner_id=user.pk or 0)


def may_see_error(user: AnyUser, image: Image) -> bool:
    """Whether `user` is told why reading `image` failed: its owner is."""
    return image.owner_id == user.pk


def shareable_albums(user: AnyUser) -> QuerySet[Album]:
    """Return the albums that `user` may show to the world by a link: their own."""
    return owned_albums(user)


def shareable_images(user: AnyUser) -> QuerySet[Image]:
    """Return the pictures that `user` may show to the world by a link: their own."""
    return own_images(user)


def link_of(token: str) -> ShareLink | None:
    """Return the share link that this address opens, if it does.

    Not revoked, not expired, and its owner still here.
    """
    return ShareLink.objects.filter(owner__is_active=True).select_related("album").of(token)


def linked_images(link: ShareLink) -> QuerySet[Image]:
    """Give what a share link shows, in its order, with `keeps_location`.

    It says whether the files that are given out keep where they were taken: only of the link owner's own
    pictures can that be told. An album is shown as it is now; of single pictures, those that the owner still
    has.
    """
    if link.album:
        images = Image.objects.filter(untrashed(), album_images__album=link.album_id)
        images = images.order_by(*link.album.order_of("album_images__", "album_images__image__"))
    else:
        images = link.images.filter(untrashed(), owner_id=link.owner_id).order_by("-pk")
    return images.annotate(  # type: ignore[no-redef]
        keeps_location=Q(owner_id=link.owner_id) if link.shows_location else Value(False)
    )


def invitations(user: AnyUser) -> QuerySet[Invitation]:
    """Return the invitations that `user` looks after: all, if they may make any."""
    return Invitation.objects.all() if may_invite(user) else Invitation.objects.none()


def may_invite(user: AnyUser) -> bool:
    """Whether `user` may make invitations: an administrator who may add people in the admin site."""
    return user.is_active and user.is_staff and user.has_perm("auth.add_user")


def invitation_of(token: str) -> Invitation | None:
    """Find the invitation that this token opens: not revoked, used or expired; else None."""
    return Invitation.objects.of(token)


def own_tokens(user: AnyUser) -> QuerySet[AccessToken]:
    """Return `user`'s own API tokens."""
    return AccessToken.objects.filter(user_id=user.pk or 0)


def may_choose_extractor(user: AnyUser) -> bool:
    """Whether `user` decides which model reads everybody's pictures: a superuser."""
    return user.is_active and user.is_superuser


def people_who_share_with(user: AnyUser) -> QuerySet[User]:
    """Return `user`, and the people who own an album that they see or who put pictures into one of theirs."""
    albums = visible_albums(user)
    inside = AlbumMember.objects.filter(album__in=albums).exclude(role=AlbumMember.Role.VIEWER)
    known = Q(pk=user.pk) | Q(pk__in=albums.values("owner")) | Q(pk__in=inside.values("user"))
    return User.objects.filter(known, is_active=True).order_by("username")


def nameable_people(user: AnyUser) -> QuerySet[User]:
    """Return whose names `user` is shown: everybody's, where people come by invitation alone.

    Where anybody may make an account, only of those whom they know from albums: others are named in full.
    """
    found = people_who_share_with(user) if settings.OPEN_REGISTRATION else User.objects.all()
    return found.filter(is_active=True).order_by("username")


def invitable_people(user: AnyUser, album: Album) -> QuerySet[User]:
    """Return whom `user` may pick as a member of an album."""
    members = AlbumMember.objects.filter(album=album).values("user")
    return nameable_people(user).exclude(pk=album.owner_id).exclude(pk__in=members)


def news(user: AnyUser) -> QuerySet[AlbumMember]:
    """Return the albums that were shared with `user`, who has not opened them yet."""
    return AlbumMember.objects.filter(user_id=user.pk or 0, seen_at=None).select_related("album__owner")


def offers(user: AnyUser) -> QuerySet[Account]:
    """Return the accounts whose pictures are offered to `user`, who may accept or decline."""
    return Account.objects.filter(offered_to_id=user.pk or 0, user__is_active=True).select_related("user")


def deletable_people(user: AnyUser) -> QuerySet:
    """Give the people whose accounts `user` may delete, and whose pictures they may transfer.

    With the admin site's permission everybody's, but a superuser's or a helper's only as a superuser.
    """
    people = get_user_model().objects.all()
    if not (user.is_active and user.is_staff and user.has_perm("auth.delete_user")):
        return people.none()
    return people if user.is_superuser else people.filter(is_superuser=False, is_staff=False)
