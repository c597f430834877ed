"""The base of the pages of history with the filter that they share, and the page of the changes by operators."""

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings as django_settings
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.config.settings import Settings
from messaging.store.console.selection import of_subscriber
from messaging.store.db.encryption import current_cipher
from messaging.store.models import AuditEntry, Subscriber

if TYPE_CHECKING:
    AnyPages = admin.ModelAdmin[models.Model]
else:
    AnyPages = admin.ModelAdmin

MAX_SUBSCRIBERS_LISTED = 50
ENCRYPTED = "Subjects are encrypted (SATBRIDGE_STORE_KEY) and cannot be searched."


class ReadOnly(AnyPages):
    """History: can be viewed and not changed."""

    show_full_result_count = False

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Leave out the subject where it is encrypted, and say so beside the field."""
        is_encrypted = current_cipher() is not None
        type(self).search_help_text = ENCRYPTED if is_encrypted else None
        fields = super().get_search_fields(request)
        return [one for one in fields if not (is_encrypted and one.endswith("subject"))]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: only the router adds history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history is not changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history is not deleted here."""
        return False


class OfSubscriber(admin.SimpleListFilter):
    """Filters messages and deliveries by their subscriber. The list holds the first names only; the URL takes all."""

    title = "subscriber"
    parameter_name = "subscriber"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices beside "all"."""
        names = Subscriber.objects.order_by("name").values_list("name", flat=True)
        listed = list(names[:MAX_SUBSCRIBERS_LISTED])
        chosen = self.value()
        if chosen is not None and chosen not in listed:
            listed.append(chosen)
        return [(name, name) for name in listed]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[models.Model]"
    ) -> "QuerySet[models.Model]":
        """Return the rows of the choice."""
        name = self.value()
        return queryset if name is None else queryset.filter(of_subscriber(name))


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly):
    """The changes by operators."""

    list_display = ("at", "channel", "actor", "action", "kind", "object_id", "parent_id", "fields")
    list_filter = ("action", "kind", "channel", "at")
    search_fields = ("=object_id", "=parent_id")


def gateway_settings() -> Settings:
    """Return the settings of the gateway."""
    return cast(Settings, getattr(django_settings, "SATBRIDGE"))  # noqa: B009
