from django.urls import path

from gallery.views import files, pages

urlpatterns = [
    path("images/", pages.browse, name="browse"),
    path("images/<int:pk>/", pages.image, name="image"),
    path("images/<int:pk>/delete", pages.delete, name="image-delete"),
    path("images/<int:pk>/original", files.original, name="image-original"),
    path("images/<int:pk>/thumbnail/<slug:size>", files.thumbnail, name="image-thumbnail"),
    path("upload/", pages.upload, name="upload"),
]
