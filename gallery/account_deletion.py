"""Accounts that end: what becomes of their pictures and albums."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from gallery import trash
from gallery.models import Account, Album, AlbumImage, AlbumMember, Comment, GuestPicture, Heart, Image


class NotDeletedError(Exception):
    """The account stays; the message is one sentence for the person who asked."""


def check_deletable(person: User) -> None:
    """NotDeletedError for the last administrator: nobody could look after the site any more."""
    others = get_user_model().objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if person.is_superuser and not others.exists():
        raise NotDeletedError(_("This is the last administrator. Add another one first."))


def delete_with_pictures(person: User) -> None:
    """Delete an account, its albums, and its pictures for good, files included."""
    check_deletable(person)
    trash.delete_for_good(Image.objects.filter(owner=person))
    person.delete()


def offer(person: User, to: User) -> None:
    """Ask another person to take an account's pictures and albums; it is deleted when they accept.

    Until then it stays as it is, and another offer takes this one's place.
    """
    check_deletable(person)
    Account.objects.update_or_create(user=person, defaults={"offered_to": to})


def offered_to(person: User) -> User | None:
    """Return who is asked to take the person's pictures; None for nobody."""
    row = Account.objects.filter(user=person).select_related("offered_to").first()
    return row.offered_to if row else None


def withdraw(person: User) -> None:
    """Take the offer back, or decline it; the account stays."""
    Account.objects.filter(user=person).update(offered_to=None)


def hand_over(person: User, to: User) -> None:
    """Give an account's pictures and albums to another person, who accepted them, and delete it.

    Of a picture that the other one has already, theirs stays and takes the place in albums. An album whose
    title the other one has used gets the giver's name behind it.
    """
    check_deletable(person)
    with transaction.atomic():
        twice = Image.objects.filter(owner=person, sha256__in=Image.objects.filter(owner=to).values("sha256"))
        for image in twice:
            _stand_in(image, Image.objects.get(owner=to, sha256=image.sha256))
        trash.delete_for_good(twice)
        Image.objects.filter(owner=person).update(owner=to)
        for album in Album.objects.filter(owner=person):
            album.title = _free_title(album.title, person, to)
            album.owner = to
            album.save()
        AlbumMember.objects.filter(album__owner=to, user=to).delete()
        person.delete()


def _stand_in(gone: Image, kept: Image) -> None:
    """Put `kept` into every album that `gone` is in, with what is said under it; both are one picture now."""
    links = AlbumImage.objects.filter(image=gone)
    there = AlbumImage.objects.filter(image=kept).values("album_id")
    links.exclude(album__in=there).update(image=kept)
    Album.objects.filter(cover=gone).update(cover=kept)
    Comment.objects.filter(image=gone).update(image=kept)
    for heart in Heart.objects.filter(image=gone):
        if not Heart.objects.filter(image=kept, album=heart.album, person=heart.person).exists():
            Heart.objects.filter(pk=heart.pk).update(image=kept)
    if gone.trashed_at is None:
        trash.restore(Image.objects.filter(pk=kept.pk))
    elif not GuestPicture.objects.filter(image=kept).exists():
        GuestPicture.objects.filter(image=gone).update(image=kept)


def _free_title(title: str, person: User, to: User) -> str:
    """Return the album's title, with the giver's name and a number behind it as far as needed."""
    taken = set(Album.objects.filter(owner=to).values_list("title", flat=True))
    name, number = title, 1
    while name in taken:
        behind = f" ({person.get_username()})" if number == 1 else f" ({person.get_username()}, {number})"
        name, number = title[: 200 - len(behind)] + behind, number + 1
    return name
