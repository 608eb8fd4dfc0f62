"""Comments and hearts under an album's pictures, and the album's activity."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import access, talk
from gallery.alternative_texts import describe
from gallery.models import Comment
from gallery.models.album_talk import MAX_COMMENT
from gallery.views.requests import SignedInRequest, back


@require_safe
def activity(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show who added, liked and said what in an album, and when."""
    album = get_object_or_404(access.visible_albums(request.user).select_related("owner"), pk=pk)
    events = talk.activity(album)
    describe(image for event in events for image in event.images)
    return render(request, "gallery/activity.html", {"album": album, "events": events})


@require_POST
def comment(request: SignedInRequest, pk: int, image: int) -> HttpResponse:
    """Say something under a picture of an album."""
    link = talk.place(request.user, pk, image)
    text = request.POST.get("text", "").replace("\r\n", "\n").strip()
    if not text or len(text) > MAX_COMMENT or "\0" in text:
        raise BadRequest(_("A comment has 1 to %(most)s characters.") % {"most": MAX_COMMENT})
    Comment.objects.create(album=link.album, image=link.image, author=request.user, text=text)
    return redirect(back(request, link.image.get_absolute_url()))


@require_POST
def remove_comment(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a comment away: one's own, or any in one's own album."""
    found = get_object_or_404(access.removable_comments(request.user).select_related("image"), pk=pk)
    found.delete()
    return redirect(back(request, found.image.get_absolute_url()))


@require_POST
def heart(request: SignedInRequest, pk: int, image: int) -> HttpResponse:
    """Tell an album's people that one likes a picture, or take that back."""
    link = talk.place(request.user, pk, image)
    match request.POST.get("action"):
        case "add":
            talk.like(link, request.user)
        case "remove":
            talk.unlike(link, request.user)
        case _other:
            raise BadRequest(_("The action must be add or remove."))
    return redirect(back(request, link.image.get_absolute_url()))
