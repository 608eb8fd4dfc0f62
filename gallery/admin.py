"""The admin site for pictures, tags and albums."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from gallery import corrections, tag_admin, tagging, tasks
from gallery.forms.images import AdminCorrectionForm, AdminCorrectManyForm
from gallery.forms.sign_in import ThrottledAdminForm
from gallery.forms.upload import AdminUploadForm
from gallery.models import Account, Album, AlbumMember, AuditEntry, Embedding, Image, ImageTag

admin.site.site_header = admin.site.site_title = "Picfusion"
admin.site.index_title = "Administration"
admin.site.login_form = ThrottledAdminForm


__all__ = ["tag_admin"]  # which registers itself


class ImageTagInline(admin.TabularInline):
    model = ImageTag
    autocomplete_fields = ["tag"]
    readonly_fields = ["source", "extractor"]
    extra = 0


class EmbeddingInline(admin.TabularInline):
    model = Embedding
    fields = ("extractor", "dim", "dtype")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "filename", "owner", "status", "format", "width", "height", "created_at"]
    list_display_links = ["thumbnail", "filename"]
    list_filter = ["status", "format", "owner"]
    list_select_related = ["owner"]
    list_per_page = 50
    search_fields = ["filename", "sha256", "tags__name"]
    date_hierarchy = "created_at"
    actions = ["retry", "turn_left", "turn_right", "correct"]
    inlines = [ImageTagInline, EmbeddingInline]
    fields = (
        "preview",
        "owner",
        "filename",
        "caption",
        "place",
        "text",
        "status",
        "error",
        "attempts",
        "format",
        "width",
        "height",
        "size_bytes",
        "sha256",
        "taken",
        "turn",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name not in ("caption", "taken", "place", "turn"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs) -> Any:
        return super().get_form(
            request, obj, **({"form": AdminUploadForm if obj is None else AdminCorrectionForm} | kwargs)
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["owner", "file"] if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [] if obj is None else self.inlines

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Remove the tag as a person does: no extractor adds it again."""
        super().save_formset(request, form, formset, change)
        for removed in getattr(formset, "deleted_objects", []):
            if isinstance(removed, ImageTag):
                tagging.remove(form.instance, removed.tag.name)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:  # a new image was stored by its form, through gallery.ingest
            form.correct(obj)

    @admin.display(description="")
    def thumbnail(self, image: Image) -> str:
        return self._picture(image, "small", "max-height:72px;max-width:108px")

    @admin.display(description="Picture")
    def preview(self, image: Image) -> str:
        return self._picture(image, "medium", "max-width:100%")

    @staticmethod
    def _picture(image: Image, size: str, style: str) -> str:
        source = reverse("image-thumbnail", args=[image.pk, size])
        return format_html('<img src="{}" alt="{}" style="{}" loading="lazy">', source, image.filename, style)

    @admin.action(description="Turn the chosen pictures left", permissions=["change"])
    def turn_left(self, request: HttpRequest, queryset: Any) -> None:
        self.message_user(request, f"{corrections.turn(queryset, -1)} pictures turned.", messages.SUCCESS)

    @admin.action(description="Turn the chosen pictures right", permissions=["change"])
    def turn_right(self, request: HttpRequest, queryset: Any) -> None:
        self.message_user(request, f"{corrections.turn(queryset, 1)} pictures turned.", messages.SUCCESS)

    @admin.action(description="Correct date or place of the chosen pictures", permissions=["change"])
    def correct(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask for date and place, and say them of all the chosen pictures."""
        form = AdminCorrectManyForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            form.correct(Image.objects.filter(pk__in=queryset.values("pk")))
            self.message_user(request, f"{queryset.count()} pictures changed.", messages.SUCCESS)
            return None
        context = self.admin_site.each_context(request) | {
            "title": "Correct date or place", "form": form, "images": queryset, "action": "correct",
        }  # fmt: skip
        return render(request, "admin/correct.html", context)

    @admin.action(description="Read again the chosen pictures that failed", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        count = tasks.retry(queryset)
        self.message_user(request, f"{count} pictures wait to be read again.", messages.SUCCESS)


class AccountInline(admin.StackedInline):
    model = Account
    fk_name = "user"
    verbose_name_plural = "quota"


admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class PersonAdmin(UserAdmin):
    inlines = [AccountInline]

    def get_actions(self, request: HttpRequest) -> Any:
        """Without deleting many at once: of each it is asked what becomes of their pictures."""
        return {
            name: action for name, action in super().get_actions(request).items() if name != "delete_selected"
        }

    def delete_view(self, request: HttpRequest, object_id: Any, extra_context: Any = None) -> Any:
        return redirect("person-delete", object_id)


class AlbumMemberInline(admin.TabularInline):
    model = AlbumMember
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Album)
class AlbumAdmin(admin.ModelAdmin):
    list_display = ["title", "owner", "created_at"]
    list_filter = ["owner"]
    list_select_related = ["owner"]
    search_fields = ["title", "description"]
    autocomplete_fields = ["owner"]
    inlines = [AlbumMemberInline]


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
