from django.urls import path

from search import api

urlpatterns = [
    path("search/", api.SearchView.as_view(), name="api-search"),
    path("tags/", api.TagListView.as_view(), name="api-tag-list"),
    path("tags/suggestions/", api.SuggestionsView.as_view(), name="api-tag-suggestions"),
    path("suggestions/", api.CompletionsView.as_view(), name="api-suggestions"),
    path("images/<int:pk>/similar/", api.SimilarView.as_view(), name="api-image-similar"),
]
