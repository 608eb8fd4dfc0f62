from gallery.models.account import Account
from gallery.models.album import Album, AlbumImage, AlbumMember
from gallery.models.change import Change
from gallery.models.image import Embedding, Image
from gallery.models.invitation import Invitation
from gallery.models.serving import Serving
from gallery.models.share import ShareLink
from gallery.models.tag import ImageTag, Tag

__all__ = [
    "Account",
    "Album",
    "AlbumImage",
    "AlbumMember",
    "Change",
    "Embedding",
    "Image",
    "ImageTag",
    "Invitation",
    "Serving",
    "ShareLink",
    "Tag",
]
