"""What can be done with many pictures at once, from every page that shows them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.forms import model_to_dict
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery import access, album_filling, tagging, trash, undo
from gallery.access import AnyUser
from gallery.files import downloads
from gallery.forms.albums import AlbumForm
from gallery.models import Album, AlbumImage, Favourite, Image
from gallery.numbers import whole_number, whole_numbers
from gallery.undo import Step
from gallery.views import images, share_links
from gallery.views.requests import SignedInRequest, back

MOST = 500  # pictures at once


@dataclass(frozen=True)
class Done:
    """What was done, with how many pictures, and what takes it back."""

    count: int
    message: str
    step: Step | None = None
    link: tuple[str, str] | None = None  # to where the pictures went: address and words
    is_gone: bool = False  # whether the pictures have no place in the list any more
    is_turned: bool = False


def context(user: AnyUser, album: Album | None = None) -> dict:
    """Return what the bar for selections needs on a page that shows pictures, those of an album or others."""
    return {"selectable": True, "fillable": access.fillable_albums(user), "of_album": album}


@require_POST
def act(request: SignedInRequest) -> HttpResponseBase:
    """Do `action` with the pictures `image`.

    Those among them that the person may not do it with are passed over, and counted in what is said; when
    there is no other, there is no such picture. A script gets what is said, and which pictures are gone.
    """
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise BadRequest(_("The action must be one of: %(actions)s.") % {"actions": ", ".join(ACTIONS)})
    ids = whole_numbers(request.POST.getlist("image"), MOST)
    if ids is None:
        raise BadRequest(_("Choose up to %(most)s pictures.") % {"most": MOST})
    done = action(request, ids)
    if isinstance(done, HttpResponseBase):
        return done
    passed = len(ids) - done.count
    if not done.count:
        raise Http404
    message = done.message
    if passed:
        others = ngettext(
            "%(number)s skipped: you can't change them.",
            "%(number)s skipped: you can't change them.",
            passed,
        )
        message = f"{message} {others % {'number': passed}}"
    return answer(request, done, message, ids)


def answer(request: SignedInRequest, done: Done, message: str, ids: set[int]) -> HttpResponse:
    """Say what was done, and offer to take it back: to a script at once, else on the page that follows."""
    if done.step:
        undo.remember(request, done.step)
    if done.link:
        message = format_html('{} <a href="{}">{}</a>', message, *done.link)
    if not request.htmx:
        messages.success(request, message, extra_tags="undo" if done.step else "")
        return redirect(back(request, "browse"))
    found = Image.objects.filter(pk__in=ids)
    said = {
        "message": message,
        "is_undoable": done.step is not None,
        # Of several people's pictures some may have stayed.
        "gone": _gone(request, ids) if done.is_gone else [],
        "turned": found.only("pk", "turn") if done.is_turned else [],
    }
    return render(request, "parts/done.html", said)


def _gone(request: SignedInRequest, ids: set[int]) -> list[int]:
    """Return which of the pictures are no more in the list that the form stands under."""
    album = whole_number(request.POST.get("of_album", "")) or 0
    match request.POST["action"]:
        case "restore" | "purge":
            still = access.trashed_images(request.user)
        case "remove":
            inside = AlbumImage.objects.filter(album_id=album)
            still = access.visible_images(request.user).filter(pk__in=inside.values("image_id"))
        case _:
            still = access.visible_images(request.user)
    return sorted(ids - set(still.filter(pk__in=ids).values_list("pk", flat=True)))


@require_POST
def take_back(request: SignedInRequest) -> HttpResponse:
    """Take back what was done last."""
    count = undo.take_back(request)
    if count is None:
        raise BadRequest(_("That can't be undone any more."))
    said = ngettext("Undone for %(number)s picture.", "Undone for %(number)s pictures.", count)
    message = said % {"number": count}
    if request.htmx:
        return render(request, "parts/done.html", {"message": message})
    messages.success(request, message)
    return redirect(back(request, "browse"))


def _add(request: SignedInRequest, ids: set[int]) -> Done:
    album = chosen_album(request)
    own = set(access.addable_images(request.user).filter(pk__in=ids).values_list("pk", flat=True))
    new = album_filling.put(album, own, request.user)
    done = ngettext(
        "%(number)s picture added to %(album)s.", "%(number)s pictures added to %(album)s.", len(own)
    )
    return Done(
        len(own),
        done % {"number": len(own), "album": album.title},
        undo.of_ids("leave", new, album=album.pk),
        (album.get_absolute_url(), _("Open album")),
    )


def chosen_album(request: SignedInRequest) -> Album:
    """Return the album that the form names by its number `album`, or one that it has made, `new_album`."""
    if title := " ".join(request.POST.get("new_album", "").split()):
        mine = access.owned_albums(request.user).filter(title=title).first()
        new = Album(owner=request.user)
        usual = {name: value for name, value in model_to_dict(new, AlbumForm.Meta.fields).items() if value}
        form = AlbumForm(usual | {"title": title}, instance=new, person=request.user)
        if mine is None and not form.is_valid():
            raise BadRequest(next(iter(form.errors.values()))[0])
        return mine or form.save()
    chosen = whole_number(request.POST.get("album", ""))
    if chosen is None:
        raise BadRequest(_("Choose an album."))
    return get_object_or_404(access.fillable_albums(request.user), pk=chosen)


def _remove(request: SignedInRequest, ids: set[int]) -> Done:
    number = whole_number(request.POST.get("of_album", ""))
    album: Album = get_object_or_404(access.visible_albums(request.user), pk=number or 0)
    links = access.removable_album_images(request.user, album).filter(image__in=ids)
    step = undo.of_album(links, album)
    count = AlbumImage.objects.filter(pk__in=list(links.values_list("pk", flat=True))).delete()[0]
    done = ngettext(
        "%(number)s picture removed from %(album)s.", "%(number)s pictures removed from %(album)s.", count
    )
    return Done(count, done % {"number": count, "album": album.title}, step, is_gone=True)


def _tag(request: SignedInRequest, ids: set[int]) -> Done:
    count, step = _each_tag(request, ids, tagging.add_to_all)
    done = ngettext("%(number)s picture tagged.", "%(number)s pictures tagged.", count)
    return Done(count, done % {"number": count}, step)


def _untag(request: SignedInRequest, ids: set[int]) -> Done:
    count, step = _each_tag(request, ids, tagging.remove_from_all)
    done = ngettext("%(number)s picture untagged.", "%(number)s pictures untagged.", count)
    return Done(count, done % {"number": count}, step)


def _each_tag(request: SignedInRequest, ids: set[int], change: Callable) -> tuple[int, Step]:
    found = access.taggable_images(request.user).filter(pk__in=ids)
    try:
        step = undo.of_tags(found, request.POST.get("tag", ""))
        return change(found, request.POST.get("tag", "")), step
    except ValidationError as error:
        raise BadRequest(error.messages[0]) from error


def _favourite(request: SignedInRequest, ids: set[int]) -> Done:
    seen = set(access.visible_images(request.user).filter(pk__in=ids).values_list("pk", flat=True))
    loved = set(access.favourites(request.user).filter(image__in=seen).values_list("image_id", flat=True))
    hearts = [Favourite(user=request.user, image_id=pk) for pk in sorted(seen - loved)]
    Favourite.objects.bulk_create(hearts, ignore_conflicts=True)
    done = ngettext("%(number)s favourite.", "%(number)s favourites.", len(seen))
    return Done(len(seen), done % {"number": len(seen)}, undo.of_ids("unlove", seen - loved))


def _trash(request: SignedInRequest, ids: set[int]) -> Done:
    return move_to_trash(access.deletable_images(request.user).filter(pk__in=ids))


def move_to_trash(found: QuerySet[Image]) -> Done:
    """Move pictures to the trash."""
    step = undo.of_ids("restore", found.values_list("pk", flat=True))
    count = trash.move(found)
    done = ngettext(
        "%(number)s picture moved to the trash, where it stays for %(days)s days.",
        "%(number)s pictures moved to the trash, where they stay for %(days)s days.",
        count,
    )
    link = (reverse("trash"), _("Open the trash"))
    return Done(count, done % {"number": count, "days": trash.KEPT.days}, step, link, is_gone=True)


def _restore(request: SignedInRequest, ids: set[int]) -> Done:
    found = access.trashed_images(request.user).filter(pk__in=ids)
    step = undo.of_ids("trash", found.values_list("pk", flat=True))
    count = trash.restore(found)
    done = ngettext("%(number)s picture restored.", "%(number)s pictures restored.", count)
    return Done(count, done % {"number": count}, step, (reverse("browse"), _("Browse")), is_gone=True)


def _purge(request: SignedInRequest, ids: set[int]) -> Done:
    count = trash.delete_for_good(access.trashed_images(request.user).filter(pk__in=ids))
    done = ngettext(
        "%(number)s picture permanently deleted.", "%(number)s pictures permanently deleted.", count
    )
    return Done(count, done % {"number": count}, is_gone=True)


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


def _correct(request: SignedInRequest, ids: set[int]) -> Done:
    action = request.POST["action"]
    own = access.placeable_images if action == "place" else access.correctable_images
    found = own(request.user).filter(pk__in=ids)
    if action in undo.FACTS:
        step = undo.of_facts(found, action)
    else:
        back_again = 1 if action == "turn-left" else -1
        step = undo.of_ids("turn", found.values_list("pk", flat=True), quarters=back_again)
    count = images.correct_all(request.user, ids, request.POST)
    done = ngettext("%(number)s picture changed.", "%(number)s pictures changed.", count)
    return Done(count, done % {"number": count}, step, is_turned=action.startswith("turn"))


ACTIONS: dict[str, Callable[[SignedInRequest, set[int]], Done | HttpResponseBase]] = {
    **dict.fromkeys(("date", "place", "turn-left", "turn-right"), _correct),
    "add": _add,
    "remove": _remove,
    "tag": _tag,
    "untag": _untag,
    "favourite": _favourite,
    "trash": _trash,
    "restore": _restore,
    "purge": _purge,
    "download": _download,
    "share": _share,
}
