from rest_framework.routers import SimpleRouter

from gallery import album_api, api

router = SimpleRouter(use_regex_path=False)
router.register("images", api.ImageViewSet, basename="api-image")
router.register("albums", album_api.AlbumViewSet, basename="api-album")

urlpatterns = router.urls
