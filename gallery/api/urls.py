from django.urls import path
from rest_framework.routers import SimpleRouter

from gallery.api import albums, bulk, images, tokens

router = SimpleRouter(use_regex_path=False)
router.register("images", images.ImageViewSet, basename="api-image")
router.register("albums", albums.AlbumViewSet, basename="api-album")
router.register("tokens", tokens.AccessTokenViewSet, basename="api-access-token")

urlpatterns = [path("images/bulk/", bulk.BulkView.as_view(), name="api-image-bulk"), *router.urls]
