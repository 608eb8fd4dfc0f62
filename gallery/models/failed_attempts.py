"""How often something secret was guessed wrong, where all processes and machines see it."""

from django.db import models


class FailedAttempts(models.Model):
    """Wrong guesses by one key (a hash of who guessed what), and when the last right one was."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    blocked_until = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "failed attempts"

    def __str__(self) -> str:
        return f"{self.failures} failed attempts"
