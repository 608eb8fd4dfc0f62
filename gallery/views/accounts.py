"""Accounts: your own settings, invitations, joining, leaving."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gallery import access, account_deletion, quota
from gallery.forms.accounts import AccountForm, DeleteAccountForm, RegistrationForm
from gallery.models import Invitation
from gallery.views.requests import SignedInRequest, back, posted

BACKEND = "django.contrib.auth.backends.ModelBackend"
PER_PAGE = 60
THEMES = ("auto", "light", "dark")


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    """Return the person's own account: mail address, what they store, theme and language."""
    form = AccountForm(posted(request), instance=get_user_model().objects.get(pk=request.user.pk or 0))
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("account")
    context = {
        "form": form,
        "usage": quota.usage(request.user),
        "may_invite": access.may_invite(request.user),
    }
    return render(request, "accounts/account.html", context, status=400 if form.errors else 200)


@login_not_required
@require_POST
def theme(request: SignedInRequest) -> HttpResponse:
    """Remember in a cookie whether pages are light or dark, or as the system is."""
    chosen = request.POST.get("theme", "")
    response = redirect(back(request, "search"))
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", secure=settings.HTTPS)
    return response


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: SignedInRequest, token: str) -> HttpResponse:
    """Make the account that an invitation is good for."""
    invitation = access.invitation_of(token)
    if invitation is None:
        raise Http404
    form = RegistrationForm(posted(request))
    if form.is_valid():
        # Of two who use the same invitation at the same moment, one ends it.
        ended = Invitation.objects.alive().filter(pk=invitation.pk)
        with transaction.atomic():
            if not ended.update(ended_at=timezone.now()):
                raise Http404
            person = form.save()
            Invitation.objects.filter(pk=invitation.pk).update(person=person)
        return _welcome(request, person)
    return _registration(request, form)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: SignedInRequest) -> HttpResponse:
    """Make an account without an invitation, where the setting OPEN_REGISTRATION allows it."""
    if not settings.OPEN_REGISTRATION:
        raise Http404
    form = RegistrationForm(posted(request))
    if form.is_valid():
        return _welcome(request, form.save())
    return _registration(request, form)


def _registration(request: SignedInRequest, form: RegistrationForm) -> HttpResponse:
    return render(request, "accounts/register.html", {"form": form}, status=400 if form.errors else 200)


def _welcome(request: SignedInRequest, person: User) -> HttpResponse:
    login(request, person, backend=BACKEND)
    return redirect("upload")


@require_http_methods(["GET", "HEAD", "POST"])
def delete_own(request: SignedInRequest) -> HttpResponse:
    """Delete one's own account, when it is said what becomes of its pictures."""
    return _delete(request, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_person(request: SignedInRequest, pk: int) -> HttpResponse:
    """For administrators: delete somebody's account, when it is said what becomes of its pictures."""
    return _delete(request, get_object_or_404(access.deletable_people(request.user), pk=pk))


def _delete(request: SignedInRequest, person: User) -> HttpResponse:
    form = DeleteAccountForm(posted(request), person=person, by=request.user)
    if form.is_valid():
        try:
            if form.receiver:
                account_deletion.hand_over(person, form.receiver)
            else:
                account_deletion.delete_with_pictures(person)
        except account_deletion.NotDeletedError as reason:
            form.add_error(None, str(reason))
        else:
            if person == request.user:
                logout(request)
                messages.success(request, _("Your account has been deleted."))
                return redirect("login")
            messages.success(request, _("The account has been deleted."))
            return redirect("admin:auth_user_changelist")
    context = {"form": form, "person": person, "usage": quota.usage(person)}
    return render(request, "accounts/delete.html", context, status=400 if form.errors else 200)
