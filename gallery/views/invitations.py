"""Invitations, for administrators."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from gallery import access
from gallery.forms.invitations import InvitationForm
from gallery.models import Invitation
from gallery.views import once
from gallery.views.paging import page_of
from gallery.views.requests import SignedInRequest, posted

PER_PAGE = 60


@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request: SignedInRequest) -> HttpResponse:
    """For administrators: the invitations so far, and a form for another."""
    if not access.may_invite(request.user):
        raise Http404
    form = InvitationForm(posted(request), instance=Invitation(created_by=request.user))
    address = ""
    if request.method == "POST" and once.is_repeated(request):
        return redirect("invitations")
    if form.is_valid():
        token = form.instance.new_token()
        form.save()
        address = request.build_absolute_uri(reverse("join", args=[token]))
        form = InvitationForm()
    found = Invitation.objects.select_related("person", "created_by")
    context = {
        "page": page_of(request, found, PER_PAGE),
        "form": form,
        "address": address,
        "once": once.new(),
    }
    return render(request, "accounts/invitations.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Nobody comes in by this invitation any more."""
    if not access.may_invite(request.user):
        raise Http404
    get_object_or_404(Invitation.objects.alive(), pk=pk).end()
    return redirect("invitations")
