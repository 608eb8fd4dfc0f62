from django.urls import path

from gallery.views import albums, files, pages, selection, tags

urlpatterns = [
    path("images/", pages.browse, name="browse"),
    path("images/<int:pk>/", pages.image, name="image"),
    path("images/<int:pk>/delete", pages.delete, name="image-delete"),
    path("images/<int:pk>/original", files.original, name="image-original"),
    path("images/<int:pk>/thumbnail/<slug:size>", files.thumbnail, name="image-thumbnail"),
    path("images/<int:pk>/albums", albums.add_image, name="image-albums"),
    path("selection/", selection.act, name="selection"),
    path("trash/", pages.trashed, name="trash"),
    path("albums/", albums.albums, name="albums"),
    path("albums/<int:pk>/", albums.album, name="album"),
    path("albums/<int:pk>/download", albums.download, name="album-download"),
    path("albums/<int:pk>/edit", albums.edit, name="album-edit"),
    path("albums/<int:pk>/delete", albums.delete, name="album-delete"),
    path("albums/<int:pk>/members", albums.set_member, name="album-members"),
    path("albums/<int:pk>/members/<int:member>/remove", albums.remove_member, name="album-member-remove"),
    path("albums/<int:pk>/images/<int:image>/remove", albums.remove_image, name="album-image-remove"),
    path("tags/", tags.tags, name="tags"),
    path("upload/", pages.upload, name="upload"),
]
