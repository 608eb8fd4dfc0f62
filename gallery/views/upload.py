"""Uploading, and how far the pictures that wait are."""

import time
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from gallery import access, ingest, quota, text_reading
from gallery.destination import destination
from gallery.imaging import formats
from gallery.models import Image
from gallery.numbers import whole_number
from gallery.refusal import RefusedError
from gallery.views import selection
from gallery.views.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """Take several files, and say of each what became of it."""
    if request.method != "POST":
        return _page(request)
    files = request.FILES.getlist("files")
    if not files:
        return _page(request, 400, error=_("Choose at least one picture."))
    try:
        goes_to = destination(
            request.user,
            whole_number(request.POST.get("album_id", "")),
            request.POST.get("album", ""),
            request.POST.get("tags", "").split(","),
        )
    except ValidationError as error:
        return _page(request, 400, error=error.messages[0])
    outcomes = [take(request.user, file) for file in files]
    for outcome in outcomes:
        if outcome["image"]:
            goes_to.receive(outcome["image"])
    accepted = any(outcome["image"] for outcome in outcomes)
    return _page(request, 200 if accepted else 400, outcomes=outcomes)


def _page(request: SignedInRequest, status: int = 200, **context: Any) -> HttpResponse:
    choice = {"accept": formats.ACCEPT, "formats": formats.labels(), "usage": quota.usage(request.user)}
    chosen = whole_number(request.GET.get("album", ""))
    fillable = access.fillable_albums(request.user).order_by("title")
    context |= choice | waiting_context(request) | selection.context(request.user)
    context |= {"fillable": fillable, "chosen": chosen}
    return render(request, "gallery/upload.html", context, status=status)


def take(user: User, file: Any) -> dict:
    """Ingest one uploaded file for a page: its name, its image if it was taken, and what to say."""
    name = ingest.clean_filename(file.name)
    try:
        added = ingest.add(user, file)
    except RefusedError as refusal:
        return {"name": name, "image": None, "verdict": "refused", "message": str(refusal)}
    if added.created:
        return {
            "name": name,
            "image": added.image,
            "verdict": "added",
            "message": _("Added, but the file lacks its end: the picture is shown as far as it goes.")
            if added.image.is_cut_off
            else _("Added. It will be searchable in a moment."),
        }
    return {
        "name": name,
        "image": added.image,
        "verdict": "there",
        "message": _("It is back from the trash.")
        if added.was_trashed
        else _("You already have this picture."),
    }


@require_GET
def waiting(request: SignedInRequest) -> HttpResponse:
    """Show how many of the person's `of` pictures are searchable by now.

    The line renews itself until all are.
    """
    of = whole_number(request.GET.get("of", ""))
    return render(request, "parts/waiting.html", waiting_context(request, of or 0))


def waiting_context(request: SignedInRequest, of: int = 0) -> dict:
    """Count how many of the person's `of` pictures, or of the unprocessed ones, are searchable.

    The number that they are counted from, and since when, stays in the session until all are: reloading a
    page starts nothing over, and tells the rate.
    """
    user = request.user
    count = access.unread_images(user).exclude(status=Image.Status.FAILED).count()
    began = request.session.get("waiting") or {}
    if not count and began:
        del request.session["waiting"]
    elif count > began.get("of", 0) - began.get("ready", 0):
        began = {"of": began.get("ready", 0) + count, "ready": began.get("ready", 0), "since": time.time()}
        request.session["waiting"] = began
    of = max(of, count, began.get("of", 0) if count else 0)
    context: dict = {"waiting": count, "of": of, "ready": of - count}
    if count:
        seconds = max(time.time() - began["since"], 1)
        rate = (began["of"] - count - began["ready"]) / seconds
        if rate > 0 and seconds > 5:
            context |= {"rate": round(60 * rate) or 1, "minutes": max(1, round(count / rate / 60))}
    if not count and (unread := text_reading.unread().filter(owner=user).count()):
        context |= {"texts_unread": unread, "texts_of": access.own_images(user).count()}
        context["texts_read"] = context["texts_of"] - unread
    return context
