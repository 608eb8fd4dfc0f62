from django.urls import path

from search.views import browse, duplicates, home, image, region, saved

urlpatterns = [
    path("", home.home, name="search"),
    path("query-picture/<slug:key>", home.query_picture, name="query-picture"),
    path("region/", region.region, name="region"),
    path("images/", browse.browse, name="browse"),
    path("images/<int:pk>/", image.image, name="image"),
    path("tags/", browse.tags, name="tags"),
    path("tags/change", browse.change_tag, name="tag-change"),
    path("searches/", saved.searches, name="searches"),
    path("searches/<int:pk>/", saved.saved, name="saved-search"),
    path("searches/<int:pk>/cover", saved.cover, name="saved-search-cover"),
    path("searches/<int:pk>/edit", saved.edit, name="saved-search-edit"),
    path("searches/<int:pk>/delete", saved.delete, name="saved-search-delete"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/decide", duplicates.decide, name="duplicates-decide"),
]
