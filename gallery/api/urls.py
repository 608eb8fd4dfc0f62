from django.urls import path
from rest_framework.routers import SimpleRouter

from gallery.api import (
    albums,
    bulk,
    changes,
    checks,
    guests,
    members,
    people,
    share_links,
    talk,
    tokens,
    trash,
    uploads,
)

router = SimpleRouter(use_regex_path=False)
router.register("albums", albums.AlbumViewSet, basename="api-album")
router.register("albums/<int:album>/members", members.MemberViewSet, basename="api-member")
router.register("guest-pictures", guests.GuestPictureViewSet, basename="api-guest-picture")
router.register("invitations", people.InvitationViewSet, basename="api-invitation")
router.register("people", people.PersonViewSet, basename="api-person")
router.register("share-links", share_links.ShareLinkViewSet, basename="api-share-link")
router.register("tokens", tokens.AccessTokenViewSet, basename="api-access-token")
router.register("trash", trash.TrashViewSet, basename="api-trash")

urlpatterns = [
    path("me/", people.MeView.as_view(), name="api-me"),
    path("changes/", changes.ChangesView.as_view(), name="api-changes"),
    path("albums/<int:album>/activity/", talk.ActivityView.as_view(), name="api-album-activity"),
    path("albums/<int:album>/images/<int:image>/talk/", talk.TalkView.as_view(), name="api-talk"),
    path("albums/<int:album>/images/<int:image>/heart/", talk.HeartView.as_view(), name="api-heart"),
    path("comments/<int:pk>/", talk.CommentView.as_view(), name="api-comment"),
    path("images/bulk/", bulk.BulkView.as_view(), name="api-image-bulk"),
    path("images/check/", checks.CheckView.as_view(), name="api-image-check"),
    path("uploads/", uploads.UploadsView.as_view(), name="api-uploads"),
    path("uploads/<uuid:pk>/", uploads.UploadView.as_view(), name="api-upload"),
    *router.urls,
]
