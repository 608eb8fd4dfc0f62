"""Pictures in the admin site."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from gallery import access, album_filling, corrections, extractor_switch, ownership, tagging, tasks, trash
from gallery.files import downloads
from gallery.forms.admin_actions import AlbumChoiceForm, OwnerForm, TagForm
from gallery.forms.images import AdminCorrectionForm, AdminCorrectManyForm
from gallery.forms.upload import AdminUploadForm
from gallery.models import Album, AlbumImage, Embedding, Image, ImageTag, Tag
from gallery.models.tag import normalize
from gallery.numbers import whole_number

LISTED = 30  # albums among the filters
HASH = re.compile(r"[0-9a-f]{6,64}")


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


class InTrash(admin.SimpleListFilter):
    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", gettext("not in the trash")), ("yes", gettext("in the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        return queryset.filter(trashed_at__isnull=self.value() == "no") if self.value() else queryset


class ReadBy(admin.SimpleListFilter):
    title = _("read by")
    parameter_name = "extractor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        keys = sorted({extractor_switch.current().key, *_extractors()})
        return [(key, key) for key in keys]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Embedding.objects.filter(extractor=self.value()).values("image"))


class InAlbum(admin.SimpleListFilter):
    """The latest albums; any other by its number in the address, to which an album's page links."""

    title = _("album")
    parameter_name = "album"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        latest = list(Album.objects.order_by("-pk")[:LISTED].values_list("pk", "title"))
        chosen = whole_number(request.GET.get("album", "")) or 0
        others = Album.objects.filter(pk=chosen).exclude(pk__in=[pk for pk, _title in latest])
        return [(str(pk), title) for pk, title in [*latest, *others.values_list("pk", "title")]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Image]:
        if not self.value():
            return queryset
        inside = AlbumImage.objects.filter(album=whole_number(self.value() or "") or 0)
        return queryset.filter(pk__in=inside.values("image"))


def _extractors() -> list[str]:
    """Return every extractor that embeddings are of; each is looked up by the end of the one before."""
    found: list[str] = []
    embeddings = Embedding.objects.order_by("extractor").values_list("extractor", flat=True)
    while (key := embeddings.filter(extractor__gt=found[-1] if found else "").first()) is not None:
        found.append(key)
    return found


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "filename", "owner", "status", "is_trashed", "format", "sides", "created_at"]
    list_display_links = ["thumbnail", "filename"]
    list_filter = [
        "status",
        InTrash,
        "format",
        ReadBy,
        ("owner", admin.RelatedOnlyFieldListFilter),
        InAlbum,
        "created_at",
    ]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["filename"]  # and what get_search_results adds
    search_help_text = _("Part of a file's name, the beginning of a SHA-256, or a tag.")
    actions = [
        "retry", "read_again", "turn_left", "turn_right", "correct", "tag", "untag", "add_to_album",
        "change_owner", "download", "move_to_trash", "restore",
    ]  # fmt: skip
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
        return ["owner", "file", "album"] if obj is None else self.fields

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

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find by name, hash or tag, each by itself: joined with a million links it would take a minute."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(filename__icontains=term)
        if HASH.fullmatch(term.lower()):
            found |= Q(sha256__startswith=term.lower())
        try:
            tag_ids = list(Tag.objects.ids_of({normalize(term)}).values())
        except ValidationError:  # nothing that can be a tag
            tag_ids = []
        if tag_ids:
            shown = ImageTag.objects.shown(extractor_switch.current().key).filter(tag__in=tag_ids)
            found |= Q(pk__in=shown.values("image"))
        return queryset.filter(found), False

    @admin.display(boolean=True, description=_("trash"))
    def is_trashed(self, image: Image) -> bool:
        return image.trashed_at is not None

    @admin.display(description=_("pixels"), ordering="width")
    def sides(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        """Into the trash, and from there for good."""
        if obj.trashed_at is None:
            trash.move(Image.objects.filter(pk=obj.pk))
        else:
            trash.delete_for_good(Image.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        gone = list(Image.objects.filter(pk__in=ids, trashed_at__isnull=False).values_list("pk", flat=True))
        trash.move(Image.objects.filter(pk__in=ids, trashed_at=None))
        trash.delete_for_good(Image.objects.filter(pk__in=gone))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what becomes of each, instead of listing every tag."""
        trash_it, for_good = gettext("into the trash"), gettext("for good")
        names = [f"{own}: {trash_it if own.trashed_at is None else for_good}" for own in objs]
        return names, {gettext("pictures"): len(objs)}, set(), []

    @admin.display(description="")
    def thumbnail(self, image: Image) -> str:
        return self._picture(image, "small", 72)

    @admin.display(description=_("Picture"))
    def preview(self, image: Image) -> str:
        return self._picture(image, "medium", 400)

    @staticmethod
    def _picture(image: Image, size: str, height: int) -> str:
        source = reverse("image-thumbnail", args=[image.pk, size])
        # No inline style: the site's Content-Security-Policy has none of it shown.
        tag = '<img src="{}" alt="{}" height="{}" loading="lazy">'
        return format_html(tag, source, image.filename, height)

    @admin.action(description=_("Turn the chosen pictures left"), permissions=["change"])
    def turn_left(self, request: HttpRequest, queryset: Any) -> None:
        self._turn(request, queryset, -1)

    def _turn(self, request: HttpRequest, queryset: Any, quarters: int) -> None:
        count = corrections.turn(queryset, quarters)
        said = ngettext("%(number)d picture turned.", "%(number)d pictures turned.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)

    @admin.action(description=_("Turn the chosen pictures right"), permissions=["change"])
    def turn_right(self, request: HttpRequest, queryset: Any) -> None:
        self._turn(request, queryset, 1)

    @admin.action(description=_("Correct date or place of the chosen pictures"), permissions=["change"])
    def correct(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Ask for date and place, and say them of all the chosen pictures; what is left empty stays."""
        asked = self._ask(request, queryset, AdminCorrectManyForm, gettext("Correct date or place"))
        if isinstance(asked, HttpResponseBase):
            return asked
        asked.correct(_plain(queryset))
        count = queryset.count()
        said = ngettext("%(number)d picture changed.", "%(number)d pictures changed.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)
        return None

    @admin.action(description=_("Read again the chosen pictures that failed"), permissions=["change"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        count = tasks.retry(queryset)
        said = ngettext(
            "%(number)d picture waits to be read again.", "%(number)d pictures wait to be read again.", count
        )
        self.message_user(request, said % {"number": count}, messages.SUCCESS)

    @admin.action(description=_("Read the chosen pictures again"), permissions=["change"])
    def read_again(self, request: HttpRequest, queryset: Any) -> None:
        """Have them read once more; those that are searchable stay so meanwhile."""
        ready = list(queryset.filter(status=Image.Status.READY).values_list("pk", flat=True))
        if ready:
            async_task("gallery.tasks.read_turned", ready, group="extraction")
        count = len(ready) + tasks.retry(queryset)
        said = ngettext("%(number)d picture is read again.", "%(number)d pictures are read again.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)

    def _ask(self, request: HttpRequest, queryset: Any, form_class: type[forms.Form], title: str) -> Any:
        """Return the form once it is filled in, or the page that asks for it."""
        form = form_class(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            return form
        context = self.admin_site.each_context(request) | {
            "title": title, "form": form, "images": queryset, "action": request.POST["action"],
        }  # fmt: skip
        return render(request, "admin/ask.html", context)

    @admin.action(description=_("Tag the chosen pictures…"), permissions=["change"])
    def tag(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Give them a tag, as a person does."""
        asked = self._ask(request, queryset, TagForm, gettext("Tag"))
        if isinstance(asked, HttpResponseBase):
            return asked
        count = tagging.add_to_all(_plain(queryset), asked.cleaned_data["tag"])
        said = ngettext("%(number)d picture carries the tag.", "%(number)d pictures carry the tag.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)
        return None

    @admin.action(description=_("Remove a tag from the chosen pictures…"), permissions=["change"])
    def untag(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Take a tag away, so that no extractor gives it again."""
        asked = self._ask(request, queryset, TagForm, gettext("Remove a tag"))
        if isinstance(asked, HttpResponseBase):
            return asked
        count = tagging.remove_from_all(_plain(queryset), asked.cleaned_data["tag"])
        said = ngettext(
            "%(number)d picture carries the tag no more.", "%(number)d pictures carry the tag no more.", count
        )
        self.message_user(request, said % {"number": count}, messages.SUCCESS)
        return None

    @admin.action(description=_("Add the chosen pictures to an album…"), permissions=["change"])
    def add_to_album(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Put those into an album whose owners may do so themselves."""
        asked = self._ask(request, queryset, AlbumChoiceForm, gettext("Add to an album"))
        if isinstance(asked, HttpResponseBase):
            return asked
        album: Album = asked.cleaned_data["album"]
        rows = access.images_for(album).filter(pk__in=_plain(queryset)).values_list("pk", "owner")
        owners: dict[int, list[int]] = {}
        for pk, owner in rows:
            owners.setdefault(owner, []).append(pk)
        for owner, own in owners.items():
            album_filling.put(album, own, User(pk=owner))
        left = queryset.count() - len(rows)
        said = ngettext(
            "%(number)d picture is in %(album)s.", "%(number)d pictures are in %(album)s.", len(rows)
        ) % {"number": len(rows), "album": album}
        rest = ngettext(
            "%(number)d was left out: its owner is no member.",
            "%(number)d were left out: their owners are not members.",
            left,
        ) % {"number": left}
        self.message_user(request, f"{said} {rest}" if left else said, messages.SUCCESS)
        return None

    @admin.action(description=_("Give the chosen pictures to somebody…"), permissions=["change"])
    def change_owner(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Make them another person's; those that this person has already stay."""
        asked = self._ask(request, queryset, OwnerForm, gettext("Change owner"))
        if isinstance(asked, HttpResponseBase):
            return asked
        to = asked.cleaned_data["owner"]
        given, stay = ownership.reassign(_plain(queryset), to)
        said = ngettext(
            "%(number)d picture is %(person)s's now.", "%(number)d pictures are %(person)s's now.", given
        ) % {"number": given, "person": to}
        rest = ngettext(
            "%(number)d stays, for they have it.", "%(number)d stay, for they have them.", stay
        ) % {"number": stay}
        self.message_user(request, f"{said} {rest}" if stay else said, messages.SUCCESS)
        return None

    @admin.action(description=_("Download the chosen pictures"), permissions=["view"])
    def download(self, request: HttpRequest, queryset: Any) -> HttpResponseBase:
        """Send a ZIP of their originals."""
        images = access.with_location(_plain(queryset), request.user)
        chosen = ((image, image.sees_location) for image in images.iterator(chunk_size=100))
        return downloads.zip_of(chosen, "pictures")

    @admin.action(description=_("Move the chosen pictures to the trash"), permissions=["delete"])
    def move_to_trash(self, request: HttpRequest, queryset: Any) -> None:
        count = trash.move(_plain(queryset).filter(trashed_at=None))
        said = ngettext("%(number)d picture is in the trash.", "%(number)d pictures are in the trash.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)

    @admin.action(description=_("Restore the chosen pictures from the trash"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        count = trash.restore(access.restorable_by_helpers().filter(pk__in=_plain(queryset)))
        said = ngettext("%(number)d picture restored.", "%(number)d pictures restored.", count)
        self.message_user(request, said % {"number": count}, messages.SUCCESS)


def _plain(queryset: Any) -> QuerySet[Image]:
    """Return the same pictures without the list's joins and order, which changes do not take."""
    return Image.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
