"""The table of the audit. Triggers of the database refuse to change or delete its rows."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One change by an operator: when, by whom, what was done to which row. Ids and names of columns only.

    `channel` is `cli` or `admin`; `actor` is the id of the system user or of the sign-in, empty if unknown. `parent_id`
    is the message of a delivery, the owner of a device or contact. No foreign keys: entries outlive the rows.

    SQLite copies a table to alter it, which drops its triggers: a migration that alters this one makes them anew.
    """

    at = models.DateTimeField(default=timezone.now)
    channel = models.CharField(max_length=8)
    actor = models.CharField(max_length=32, blank=True)
    action = models.CharField(max_length=32)
    kind = models.CharField(max_length=16)
    object_id = models.CharField(max_length=32, blank=True)
    parent_id = models.CharField(max_length=32, blank=True)
    fields = models.CharField(max_length=255, blank=True)

    class Meta:
        """Order and indexes."""

        ordering: ClassVar = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        indexes: ClassVar = [
            models.Index(fields=["kind", "object_id"], name="audit_object"),
            models.Index(fields=["action", "at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.object_id}"
