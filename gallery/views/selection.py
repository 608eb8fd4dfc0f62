"""What can be done with many pictures at once, from every page that shows them."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery import access, tagging, trash
from gallery.access import AnyUser
from gallery.files import downloads
from gallery.models import Album, AlbumImage, Image
from gallery.numbers import whole_number, whole_numbers
from gallery.views import images, share_links
from gallery.views.requests import SignedInRequest, back

MOST = 500  # pictures at once


def context(user: AnyUser) -> dict:
    """Return what the bar for selections needs on a page that shows pictures."""
    return {"selectable": True, "fillable": access.fillable_albums(user)}


@require_POST
def act(request: SignedInRequest) -> HttpResponseBase:
    """Do `action` with the pictures `image`.

    Those among them that the person may not do it with are passed over, and counted in what is said; when
    there is no other, there is no such picture.
    """
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise BadRequest(_("The action must be one of: %(actions)s.") % {"actions": ", ".join(ACTIONS)})
    ids = whole_numbers(request.POST.getlist("image"), MOST)
    if ids is None:
        raise BadRequest(_("Choose up to %(most)s pictures.") % {"most": MOST})
    response = action(request, ids)
    if isinstance(response, HttpResponseBase):
        return response
    count, done = response
    passed = len(ids) - count
    if not count:
        raise Http404
    if passed:
        others = ngettext(
            "%(number)s skipped: you can't change them.",
            "%(number)s skipped: you can't change them.",
            passed,
        )
        done = f"{done} {others % {'number': passed}}"
    messages.success(request, done, extra_tags=request.POST["action"])
    return redirect(back(request, "browse"))


def _add(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    chosen = whole_number(request.POST.get("album", ""))
    if chosen is None:
        raise BadRequest(_("Choose an album."))
    album: Album = get_object_or_404(access.fillable_albums(request.user), pk=chosen)
    links = [
        AlbumImage(album=album, image=image)
        for image in access.addable_images(request.user).filter(pk__in=ids)
    ]
    AlbumImage.objects.bulk_create(links, ignore_conflicts=True)
    done = ngettext(
        "%(number)s picture added to %(album)s.", "%(number)s pictures added to %(album)s.", len(links)
    )
    return len(links), done % {"number": len(links), "album": album.title}


def _tag(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = _each_tag(request, ids, tagging.add_to_all)
    return count, ngettext("%(number)s picture tagged.", "%(number)s pictures tagged.", count) % {
        "number": count
    }


def _untag(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = _each_tag(request, ids, tagging.remove_from_all)
    return count, ngettext("%(number)s picture untagged.", "%(number)s pictures untagged.", count) % {
        "number": count
    }


def _each_tag(request: SignedInRequest, ids: set[int], change: Callable) -> int:
    try:
        count: int = change(
            access.taggable_images(request.user).filter(pk__in=ids), request.POST.get("tag", "")
        )
    except ValidationError as error:
        raise BadRequest(error.messages[0]) from error
    return count


def _trash(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = trash.move(access.deletable_images(request.user).filter(pk__in=ids))
    done = ngettext(
        "%(number)s picture moved to the trash, where it stays for %(days)s days.",
        "%(number)s pictures moved to the trash, where they stay for %(days)s days.",
        count,
    )
    return count, done % {"number": count, "days": trash.KEPT.days}


def _restore(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = trash.restore(access.trashed_images(request.user).filter(pk__in=ids))
    done = ngettext("%(number)s picture restored.", "%(number)s pictures restored.", count)
    return count, done % {"number": count}


def _purge(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = trash.delete_for_good(access.trashed_images(request.user).filter(pk__in=ids))
    done = ngettext(
        "%(number)s picture permanently deleted.", "%(number)s pictures permanently deleted.", count
    )
    return count, done % {"number": count}


def _download(request: SignedInRequest, ids: set[int]) -> HttpResponseBase:
    seen = access.with_location(access.visible_images(request.user), request.user).filter(pk__in=ids)
    found: list[Image] = list(seen.order_by("-pk"))
    if not found:
        raise Http404
    return downloads.zip_of(
        [(image, image.sees_location) for image in found], "pictures", request.POST.get("with") == "metadata"
    )


def _share(request: SignedInRequest, ids: set[int]) -> HttpResponseBase:
    found = access.shareable_images(request.user).filter(pk__in=ids)
    if not found:
        raise Http404
    return share_links.form_page(request, images=list(found))


def _correct(request: SignedInRequest, ids: set[int]) -> tuple[int, str]:
    count = images.correct_all(request.user, ids, request.POST)
    return count, ngettext("%(number)s picture changed.", "%(number)s pictures changed.", count) % {
        "number": count
    }


ACTIONS: dict[str, Callable] = {
    **dict.fromkeys(("date", "place", "turn-left", "turn-right"), _correct),
    "add": _add,
    "tag": _tag,
    "untag": _untag,
    "trash": _trash,
    "restore": _restore,
    "purge": _purge,
    "download": _download,
    "share": _share,
}
