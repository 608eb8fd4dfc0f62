"""People, what they may store, how programs sign in for them, and what was done, in the admin site."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import PasswordResetForm
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from gallery import helpers, letters
from gallery.admin.secrets import KeepsSecrets
from gallery.models import AccessToken, Account, AuditEntry, Image, Invitation


class AccountInline(admin.StackedInline):
    model = Account
    fk_name = "user"
    verbose_name_plural = _("quota")


NOT_BY_HELPERS = ("email", "is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(get_user_model())


def _is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(get_user_model())
class PersonAdmin(UserAdmin):
    inlines = [AccountInline]
    list_display = ["username", "email", "is_staff", "is_active", "pictures", "stored", "last_login"]
    actions = ["send_reset_letter", "deactivate", "let_help"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what would make an administrator of somebody, or sign in as them, for whoever is none."""
        return super().get_readonly_fields(request, obj) if _is_administrator(request) else NOT_BY_HELPERS

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Helpers invite people: whoever makes an account knows its password."""
        return super().has_add_permission(request) and _is_administrator(request)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Helpers send a letter instead: with somebody's password they would see their pictures."""
        if not _is_administrator(request):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or helpers.may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or helpers.may_manage(request.user, obj))

    def get_queryset(self, request: HttpRequest) -> Any:
        own = Image.objects.filter(owner=OuterRef("pk")).order_by().values("owner")
        counted = Subquery(own.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        stored = Subquery(own.annotate(n=Sum("size_bytes")).values("n"), output_field=IntegerField())
        return super().get_queryset(request).annotate(counted=counted, stored_bytes=stored)

    @admin.display(ordering="counted")
    def pictures(self, person: Any) -> int:
        return person.counted or 0

    @admin.display(ordering="stored_bytes")
    def stored(self, person: Any) -> str:
        return f"{(person.stored_bytes or 0) / 1e6:.0f} MB"

    @admin.action(description=_("Send a letter to set a new password"), permissions=["change"])
    def send_reset_letter(self, request: HttpRequest, people: QuerySet[Any]) -> None:
        """Write to those who have an address."""
        if not letters.can_be_sent():
            messages.error(request, gettext("No mail server is set, so no letter can be sent."))
            return
        sent = 0
        for person in people.exclude(email="").filter(is_active=True):
            form = PasswordResetForm({"email": person.email})
            if form.is_valid():
                form.save(request=request, use_https=request.is_secure())
                sent += 1
        said = ngettext("%(number)d letter sent.", "%(number)d letters sent.", sent)
        messages.success(request, said % {"number": sent})

    @admin.action(description=_("Deactivate: they cannot sign in"), permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[Any]) -> None:
        """End their sessions and tokens, too; never one's own, nor one that a helper may not change."""
        others = people.exclude(pk=request.user.pk)
        numbers = [person.pk for person in others if helpers.may_manage(request.user, person)]
        count = get_user_model().objects.filter(pk__in=numbers).update(is_active=False)
        said = ngettext("%(number)d account deactivated.", "%(number)d accounts deactivated.", count)
        messages.success(request, said % {"number": count})

    @admin.action(description=_("Let them help: people, links and tags, but nobody's pictures"))
    def let_help(self, request: HttpRequest, people: QuerySet[Any]) -> None:
        """Put them into the group of helpers."""
        for person in people:
            helpers.make(person)
        said = ngettext("%(number)d person may help.", "%(number)d people may help.", len(people))
        messages.success(request, said % {"number": len(people)})

    def get_actions(self, request: HttpRequest) -> Any:
        """Without deleting many at once: of each it is asked what becomes of their pictures."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        if not _is_administrator(request):
            actions.pop("let_help", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: Any, extra_context: Any = None) -> Any:
        return redirect("person-delete", object_id)


@admin.register(AccessToken)
class AccessTokenAdmin(KeepsSecrets):
    """To see and to revoke: a key is known to nobody but who made it."""

    list_display = ["name", "user", "beginning", "scope", "created_at", "used_at", "expires_at"]
    list_select_related = ["user"]
    list_filter = ["scope"]
    search_fields = ["name", "user__username", "beginning"]
    fields = ("name", "user", "beginning", "scope", "created_at", "used_at", "expires_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out those of administrators and helpers, for helpers."""
        tokens = super().get_queryset(request)
        if _is_administrator(request):
            return tokens
        return tokens.filter(user__is_staff=False, user__is_superuser=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Invitation)
class InvitationAdmin(KeepsSecrets):
    """To see and to revoke; new ones are made on their page, which shows the address once."""

    list_display = ["note", "created_by", "person", "created_at", "expires_at", "ended_at"]
    list_select_related = ["created_by", "person"]
    search_fields = ["note"]
    fields = ("note", "created_by", "person", "created_at", "expires_at", "ended_at")
    readonly_fields = fields
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        found = list(invitations.filter(ended_at=None))
        for invitation in found:  # one by one: the audit trail names each
            invitation.end()
        said = ngettext("%(number)d invitation revoked.", "%(number)d invitations revoked.", len(found))
        messages.success(request, said % {"number": len(found)})


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """To read alone: nobody changes what was done."""

    list_display = ["at", "person", "address", "action", "what"]
    list_filter = ["action"]
    search_fields = ["person", "what", "address"]
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
