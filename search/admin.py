"""Saved searches in the admin site."""

from django.contrib import admin

from search.models import SavedSearch


@admin.register(SavedSearch)
class SavedSearchAdmin(admin.ModelAdmin):
    """To see, and to delete."""

    list_display = ["name", "owner", "address", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]
    fields = ("name", "owner", "address", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: object) -> bool:
        return False
