"""API tokens on the account page."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gallery import access, access_tokens
from gallery.forms.tokens import TokenForm
from gallery.refusal import RefusedError
from gallery.views import once
from gallery.views.requests import SignedInRequest, posted


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: SignedInRequest) -> HttpResponse:
    """List the person's tokens; a form makes another one, whose key is shown in this one answer."""
    if request.method == "POST" and once.is_repeated(request):
        return redirect("tokens")
    form, key = TokenForm(posted(request)), ""
    if form.is_valid():
        days = form.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            _token, key = access_tokens.create(
                request.user, form.cleaned_data["name"], form.cleaned_data["scope"], expires_at
            )
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    context = {
        "tokens": access.own_tokens(request.user),
        "form": TokenForm() if key else form,
        "key": key,
        "once": once.new(),
    }
    return render(request, "accounts/tokens.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a token: its key works no more."""
    get_object_or_404(access.own_tokens(request.user), pk=pk).delete()
    messages.success(request, _("The token was revoked."))
    return redirect("tokens")
