from django.urls import include, path
from rest_framework.routers import SimpleRouter

from search import api, api_images, api_lists

router = SimpleRouter(use_regex_path=False)
router.register("images", api_images.SearchedImageViewSet, basename="api-image")
router.register("saved-searches", api_lists.SavedSearchViewSet, basename="api-saved-search")

urlpatterns = [
    path("search/", api.SearchView.as_view(), name="api-search"),
    path("tags/", api.TagListView.as_view(), name="api-tag-list"),
    path("tags/suggestions/", api.SuggestionsView.as_view(), name="api-tag-suggestions"),
    path("suggestions/", api.CompletionsView.as_view(), name="api-suggestions"),
    path("images/<int:pk>/similar/", api.SimilarView.as_view(), name="api-image-similar"),
    path("duplicates/", api_lists.DuplicatesView.as_view(), name="api-duplicates"),
    path("timeline/", api_lists.TimelineView.as_view(), name="api-timeline"),
    path("", include(router.urls)),
]
