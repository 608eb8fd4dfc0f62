"""Tags in the admin site: how often who gave them, and what is decided about them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, FloatField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from gallery import access, extractor_switch, tag_decisions
from gallery.models import ImageTag, Tag, TagDecision
from gallery.models.tag import MAX_TAG_LENGTH

Source = ImageTag.Source
SHOWN = 12  # pictures in a preview


class CountedTags(ChangeList):
    """The page's tags, counted together in one statement: of a million links only theirs are looked at."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        by_tag: dict[int, dict[str, int]] = {tag.pk: {} for tag in self.result_list}
        extractor = extractor_switch.current().key
        given = ImageTag.objects.filter(tag__in=list(by_tag), extractor__in=["", extractor])
        counts: Any = given.values_list("tag", "source").annotate(Count("pk")).order_by()
        for tag_id, source, count in counts:
            by_tag[tag_id][source] = count
        for tag in self.result_list:
            tag.counts = by_tag[tag.pk]


class MergeForm(forms.Form):
    instead = forms.CharField(label=_("Is called"), max_length=MAX_TAG_LENGTH)


class IsUsed(admin.SimpleListFilter):
    title = _("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unused", gettext("on no picture"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Tag]) -> QuerySet[Tag]:
        return queryset.filter(pk__in=tag_decisions.unused()) if self.value() == "unused" else queryset


class IsWrong(admin.SimpleListFilter):
    """Which tags people took away, in the order of the share of pictures that carried them."""

    title = _("mistakes")
    parameter_name = "wrong"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("most", gettext("wrong most often"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Tag]) -> QuerySet[Tag]:
        return queryset  # TagAdmin.get_queryset picks and orders them


def _by_mistakes(tags: QuerySet[Tag]) -> QuerySet[Tag]:
    """Return the tags that people took away, with the `share` of their pictures; few are counted."""

    def count(source: str) -> Any:
        rows = ImageTag.objects.filter(tag=OuterRef("pk"), source=source, extractor__in=known)
        counted = rows.order_by().values("tag").annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(counted, output_field=FloatField()), 0.0)

    known = ["", extractor_switch.current().key]
    removed = count(Source.REMOVED)
    away = ImageTag.objects.filter(source=Source.REMOVED).values("tag")
    return tags.filter(pk__in=away).annotate(share=removed / (removed + count(Source.EXTRACTOR)))


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "by_machine", "by_people", "taken_away", "wrong", "pictures"]
    list_filter = [IsUsed, IsWrong]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["^name"]
    ordering = ["name"]
    actions = ["hide", "merge"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountedTags

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        is_by_mistakes = request.GET.get("wrong") == "most"
        return _by_mistakes(Tag.objects.all()) if is_by_mistakes else super().get_queryset(request)

    def get_ordering(self, request: HttpRequest) -> Any:
        return ["-share", "name"] if request.GET.get("wrong") == "most" else self.ordering

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A tag that is there is renamed by a decision, which lasts."""
        return ["name"] if obj else []

    @admin.display(description=_("by the machine"))
    def by_machine(self, tag: Any) -> int:
        return tag.counts.get(Source.EXTRACTOR, 0)

    @admin.display(description=_("by people"))
    def by_people(self, tag: Any) -> int:
        return tag.counts.get(Source.PERSON, 0)

    @admin.display(description=_("taken away"))
    def taken_away(self, tag: Any) -> int:
        return tag.counts.get(Source.REMOVED, 0)

    @admin.display(description=_("wrong"))
    def wrong(self, tag: Any) -> str:
        """Say which share of the pictures that carried it people took it from."""
        removed = tag.counts.get(Source.REMOVED, 0)
        carried = removed + tag.counts.get(Source.EXTRACTOR, 0)
        return f"{100 * removed // carried} %" if removed else "–"

    @admin.display(description="")
    def pictures(self, tag: Tag) -> str:
        address = f"{reverse('search')}?{urlencode({'q': f'#{chr(34)}{tag.name}{chr(34)}'})}"
        return format_html('<a href="{}">{}</a>', address, gettext("Show"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what goes along, instead of listing every link."""
        links = ImageTag.objects.filter(tag__in=objs).count()
        return (
            [str(tag) for tag in objs],
            {gettext("tags"): len(objs), gettext("on pictures"): links},
            set(),
            [],
        )

    @admin.action(description=_("Hide where the machine gave them"), permissions=["change"])
    def hide(self, request: HttpRequest, tags: QuerySet[Tag]) -> None:
        for tag in tags:
            tag_decisions.decide(tag.name, is_hidden=True)
        said = ngettext(
            "%(number)d tag is hidden; the worker changes the pictures.",
            "%(number)d tags are hidden; the worker changes the pictures.",
            len(tags),
        )
        messages.success(request, said % {"number": len(tags)})

    @admin.action(description=_("Rename or merge…"), permissions=["change"])
    def merge(self, request: HttpRequest, tags: QuerySet[Tag]) -> HttpResponse | None:
        form = MergeForm(request.POST if "instead" in request.POST else None)
        if form.is_valid():
            try:
                with transaction.atomic():
                    for tag in tags.exclude(name=form.cleaned_data["instead"]):
                        tag_decisions.decide(tag.name, form.cleaned_data["instead"])
            except ValidationError as error:
                form.add_error("instead", error.messages)
            else:
                messages.success(request, gettext("The worker changes the pictures."))
                return None
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "tags": tags,
            "title": gettext("Rename or merge"),
        }
        return render(request, "admin/merge_tags.html", context)


class DecisionForm(forms.ModelForm):
    """A decision; what its page's address asks to be previewed stands in it without being saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound and "name" in self.initial and not self.instance.pk:
            self.instance.name = str(self.initial["name"])[:MAX_TAG_LENGTH]
            self.instance.threshold = _threshold(self.initial.get("threshold"))


def _threshold(text: Any) -> float | None:
    try:
        return min(1.0, max(0.0, float(text)))
    except (TypeError, ValueError):
        return None


class ImportForm(forms.Form):
    file = forms.FileField(help_text=_("CSV with the columns tag, instead, hidden and threshold."))


@admin.register(TagDecision)
class TagDecisionAdmin(admin.ModelAdmin):
    list_display = ["name", "instead", "is_hidden", "threshold"]
    list_filter = ["is_hidden"]
    search_fields = ["^name", "^instead"]
    fields = ["name", "instead", "is_hidden", "threshold", "preview"]
    readonly_fields = ["preview"]
    change_list_template = "admin/tag_decisions.html"
    change_form_template = "admin/tag_decision.html"
    form = DecisionForm

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the decision, with the threshold that is to be previewed."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "GET" and "threshold" in request.GET:
            found.threshold = _threshold(request.GET["threshold"])
        return found

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without pictures, for whoever may not look at everybody's."""
        return self.fields if access.may_administer_images(request.user) else self.fields[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if access.may_administer_images(request.user) else ()

    @admin.display(description=_("With this threshold"))
    def preview(self, decision: TagDecision) -> str:
        """Say how many pictures carry the machine's tag then, and show the least sure ones."""
        if not decision.name:
            return gettext("Preview shows which pictures would carry it.")
        carriers = tag_decisions.carriers(
            decision.name, extractor_switch.current().key, decision.threshold or 0.0
        )
        least = carriers.filter(image__trashed_at=None).select_related("image")[:SHOWN]
        links = [
            format_html(
                '<a href="{0}"><img src="{1}" alt="{2}" title="{2}" height="90"></a> ',
                reverse("image", args=[row.image_id]),
                reverse("image-thumbnail", args=[row.image_id, "small"]),
                f"{row.image.filename}, {row.confidence:.2f}",
            )
            for row in least
        ]
        count = carriers.count()
        said = ngettext("%(number)d picture:", "%(number)d pictures; the least sure:", count) % {
            "number": count
        }
        return format_html("{}<br>" + "{}" * len(links), said, *links)

    def save_model(self, request: HttpRequest, obj: TagDecision, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        tag_decisions.follow(obj)
        if change and "name" in form.changed_data:
            tag_decisions.forget([form.initial["name"]])

    def delete_model(self, request: HttpRequest, obj: TagDecision) -> None:
        tag_decisions.forget([obj.name])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        tag_decisions.forget(list(queryset.values_list("name", flat=True)))

    def get_urls(self) -> list[Any]:
        own = [
            path("export/", self.admin_site.admin_view(self.export), name="gallery_tagdecision_export"),
            path("import/", self.admin_site.admin_view(self.take_in), name="gallery_tagdecision_import"),
        ]
        return own + super().get_urls()

    def export(self, request: HttpRequest) -> HttpResponse:
        """Download every decision as CSV."""
        self._must(self.has_view_permission(request))
        headers = {"Content-Disposition": 'attachment; filename="tag-decisions.csv"'}
        return HttpResponse(tag_decisions.to_csv(), content_type="text/csv; charset=utf-8", headers=headers)

    def take_in(self, request: HttpRequest) -> HttpResponse:
        """Decide what a CSV file says, all of it or nothing."""
        self._must(self.has_add_permission(request) and self.has_change_permission(request))
        form = ImportForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                text = form.cleaned_data["file"].read(5_000_000).decode("utf-8-sig")
                count = tag_decisions.from_csv(text)
            except UnicodeDecodeError:
                form.add_error("file", gettext("This is no text in UTF-8."))
            except ValidationError as error:
                form.add_error("file", error.messages)
            else:
                said = ngettext(
                    "%(number)d decision; the worker changes the pictures.",
                    "%(number)d decisions; the worker changes the pictures.",
                    count,
                )
                messages.success(request, said % {"number": count})
                return redirect("admin:gallery_tagdecision_changelist")
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "title": gettext("Import decisions"),
        }
        return render(request, "admin/import_tags.html", context)

    @staticmethod
    def _must(is_allowed: bool) -> None:
        if not is_allowed:
            raise PermissionDenied
