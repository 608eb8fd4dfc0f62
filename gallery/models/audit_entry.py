"""What people did that others may ask about later."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One act: who, from where, what. By name, so that it outlives the account."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    person = models.CharField(max_length=150, blank=True, help_text="Empty where nobody was signed in.")
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=40)
    what = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("entry of the audit trail")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.person} {self.action} {self.what}".strip()
