"""What was decided about tags: rows of their own, so that no new reading forgets them."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.tag import MAX_TAG_LENGTH, normalize


class TagDecision(models.Model):
    """What becomes of a tag on everybody's pictures, those still to come included.

    With `instead` it is another tag: renamed, merged, or a synonym that people type. Otherwise machines' tags
    of this name are hidden, all of them or those of which the machine is less sure than the threshold.
    """

    name = models.CharField(_("tag"), max_length=MAX_TAG_LENGTH, unique=True)
    instead = models.CharField(
        _("is called"), max_length=MAX_TAG_LENGTH, blank=True, db_index=True,
        help_text=_("The tag that pictures carry in its place; searches for the one find the other."),
    )  # fmt: skip
    is_hidden = models.BooleanField(
        _("hidden"), default=False,
        help_text=_("Nobody sees it where a machine gave it; what people gave stays."),
    )  # fmt: skip
    threshold = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 to 1: of machines' tags those of less confidence are hidden."),
    )  # fmt: skip

    class Meta:
        ordering = ["name"]
        verbose_name = _("tag decision")
        verbose_name_plural = _("tag decisions")

    def __str__(self) -> str:
        if self.instead:
            return f"{self.name} → {self.instead}"
        return f"{self.name}: {'hidden' if self.is_hidden else f'from {self.threshold}'}"

    def clean(self) -> None:
        """Write the names as tags are; ValidationError for what decides nothing, or goes in a circle."""
        self.name = normalize(self.name)
        self.instead = normalize(self.instead) if self.instead.strip() else ""
        if self.instead and (self.is_hidden or self.threshold is not None):
            raise ValidationError(_("A tag has another name, or it is hidden: not both."))
        if not (self.instead or self.is_hidden or self.threshold is not None):
            raise ValidationError(
                _("Say what it is called, that it is hidden, or from which confidence it counts.")
            )
        if self.instead == self.name:
            raise ValidationError({"instead": _("This is its own name.")})
        further = TagDecision.objects.filter(name=self.instead).exclude(instead="").first()
        if self.instead and further:
            sentence = _("'%(name)s' is called '%(instead)s' itself: name that one.")
            raise ValidationError({"instead": sentence % {"name": further.name, "instead": further.instead}})

    def hides(self, confidence: float) -> bool:
        """Say whether a machine's tag of this confidence is hidden."""
        return self.is_hidden or (self.threshold is not None and confidence < self.threshold)
