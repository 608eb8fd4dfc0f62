from gallery.models.access_token import AccessToken
from gallery.models.account import Account
from gallery.models.active_extractor import ActiveExtractor
from gallery.models.album import Album, AlbumImage, AlbumMember
from gallery.models.album_talk import Comment, Heart
from gallery.models.audit_entry import AuditEntry
from gallery.models.change import Change
from gallery.models.failed_attempts import FailedAttempts
from gallery.models.favourite import Favourite
from gallery.models.guest_picture import GuestPicture
from gallery.models.image import Embedding, Image
from gallery.models.invitation import Invitation
from gallery.models.partial_upload import PartialUpload
from gallery.models.share_link import ShareLink
from gallery.models.tag import ImageTag, Tag
from gallery.models.tag_decision import TagDecision
from gallery.models.text_in_image import TextInImage
from gallery.models.worker_state import WorkerState

__all__ = [
    "AccessToken",
    "Account",
    "ActiveExtractor",
    "Album",
    "AlbumImage",
    "AlbumMember",
    "AuditEntry",
    "Change",
    "Comment",
    "Embedding",
    "FailedAttempts",
    "Favourite",
    "GuestPicture",
    "Heart",
    "Image",
    "ImageTag",
    "Invitation",
    "PartialUpload",
    "ShareLink",
    "Tag",
    "TagDecision",
    "TextInImage",
    "WorkerState",
]
