"""Accounts: your own settings, invitations, joining, leaving."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
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
        "offers": access.offers(request.user),
        "offered_to": account_deletion.offered_to(request.user),
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
            return _deleted(request, person, form.receiver)
        except account_deletion.NotDeletedError as reason:
            form.add_error(None, str(reason))
    context = {"form": form, "person": person, "usage": quota.usage(person)}
    return render(request, "accounts/delete.html", context, status=400 if form.errors else 200)


def _deleted(request: SignedInRequest, person: User, receiver: User | None) -> HttpResponse:
    """Delete the account, or offer its pictures: who takes them for themselves accepts them by that."""
    of = "account" if person == request.user else "admin:auth_user_changelist"
    if receiver and receiver != request.user:
        account_deletion.offer(person, receiver)
        said = _("%(receiver)s was asked to take the pictures. The account is deleted once they accept.")
        messages.success(request, said % {"receiver": receiver})
        return redirect(of)
    if receiver:
        account_deletion.hand_over(person, receiver)
    else:
        account_deletion.delete_with_pictures(person)
    if person == request.user:
        logout(request)
        messages.success(request, _("Your account has been deleted."))
        return redirect("login")
    messages.success(request, _("The account has been deleted."))
    return redirect(of)


@require_POST
def offer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Accept or decline the pictures that somebody offers; the one who offers takes it back."""
    action = request.POST.get("action")
    if action == "withdraw" and pk == request.user.pk:
        account_deletion.withdraw(request.user)
        return redirect("account")
    offered = get_object_or_404(access.offers(request.user), user_id=pk)
    if action == "decline":
        account_deletion.withdraw(offered.user)
    elif action == "accept":
        try:
            account_deletion.hand_over(offered.user, request.user)
        except account_deletion.NotDeletedError as reason:
            raise BadRequest(str(reason)) from reason
        said = _("The pictures and albums of %(giver)s are yours now.")
        messages.success(request, said % {"giver": offered.user.get_username()})
    else:
        raise BadRequest(_("The action must be accept, decline or withdraw."))
    return redirect("browse")
