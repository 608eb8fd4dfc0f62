"""Which extractor's rows are searched."""

from django.db import models
from django.db.models import Q


class ActiveExtractor(models.Model):
    """The one row that says which extractor's rows are searched.

    And how far its successor is.
    """

    key = models.CharField(max_length=64, help_text="The extractor's name and version, as in lite/1.")
    successor = models.CharField(max_length=64, blank=True, help_text="The extractor that `cursor` is about.")
    cursor = models.BigIntegerField(default=0, help_text="Images up to this id were given to the successor.")

    class Meta:
        verbose_name = "active extractor"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_extractor_is_active")]

    def __str__(self) -> str:
        return self.key
