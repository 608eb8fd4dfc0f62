from rest_framework.routers import SimpleRouter

from gallery import api

router = SimpleRouter(use_regex_path=False)
router.register("images", api.ImageViewSet, basename="api-image")
router.register("tags", api.TagViewSet, basename="api-tag")

urlpatterns = router.urls
