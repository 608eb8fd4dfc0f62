"""Which workers there are, and when each was last alive."""

from django.db import models


class WorkerState(models.Model):
    """One machine's worker; its supervisor writes `beat_at` every few seconds."""

    machine = models.CharField(max_length=64, unique=True)
    beat_at = models.DateTimeField()
    restarts = models.PositiveIntegerField(default=0, help_text="Since its supervisor was started.")

    def __str__(self) -> str:
        return self.machine
