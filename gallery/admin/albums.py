"""Albums and links in the admin site."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from gallery import access
from gallery.admin.secrets import KeepsSecrets
from gallery.models import Album, AlbumMember, ShareLink


class AlbumMemberInline(admin.TabularInline):
    """The members there are, by name: a field that completes would ask the database for each."""

    model = AlbumMember
    fields = ["name", "role"]
    readonly_fields = ["name"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("person"))
    def name(self, member: AlbumMember) -> str:
        return member.user.get_username()


class NewMemberInline(admin.TabularInline):
    """One more member."""

    model = AlbumMember
    verbose_name_plural = _("add a member")
    fields = ["user", "role"]
    autocomplete_fields = ["user"]
    extra = 1
    max_num = 1

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).none()


class AlbumAdminForm(forms.ModelForm):
    def clean_cover(self) -> Any:
        """Take only one of the album's own pictures."""
        cover = self.cleaned_data["cover"]
        if cover and not access.album_images(self.instance).filter(image=cover).exists():
            raise ValidationError(gettext("The cover must be one of the album's pictures."))
        return cover


@admin.register(Album)
class AlbumAdmin(admin.ModelAdmin):
    form = AlbumAdminForm
    list_display = ["title", "owner", "created_at", "inside"]
    list_filter = [("owner", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["owner"]
    list_per_page = 50
    search_fields = ["title", "description"]
    autocomplete_fields = ["owner", "cover"]
    inlines = [AlbumMemberInline, NewMemberInline]

    @admin.display(description="")
    def inside(self, album: Album) -> str:
        address = f"{reverse('admin:gallery_image_changelist')}?album={album.pk}"
        return format_html('<a href="{}">{}</a>', address, gettext("Pictures"))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else []

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj else ["cover"]  # of an album that has no pictures yet

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return self.autocomplete_fields


@admin.register(ShareLink)
class ShareLinkAdmin(KeepsSecrets):
    """To see and to revoke; new ones are made on their page, which shows the address once."""

    list_display = ["title", "owner", "album", "created_at", "expires_at", "ended_at", "views"]
    list_select_related = ["owner", "album"]
    list_filter = ["allow_download", "allow_uploads"]
    search_fields = ["title", "owner__username"]
    fields = ("title", "owner", "album", "created_at", "expires_at", "ended_at", "views")
    readonly_fields = fields
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        found = list(links.filter(ended_at=None))
        for link in found:  # one by one: the audit trail names each
            link.end()
        said = ngettext("%(number)d link revoked.", "%(number)d links revoked.", len(found))
        messages.success(request, said % {"number": len(found)})
