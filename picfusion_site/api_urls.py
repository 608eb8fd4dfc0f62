"""Everything under /api/v1/."""

from django.urls import include, path

from gallery.api.tokens import TokenView

urlpatterns = [
    path("token/", TokenView.as_view(), name="api-token"),
    path("", include("gallery.api.urls")),
    path("", include("search.api_urls")),
]
