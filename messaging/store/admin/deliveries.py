"""The admin pages of deliveries: they try again, cancel, release and refuse."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from messaging.errors import Unavailable
from messaging.store.admin.history import OfSubscriber, ReadOnly, gateway_settings
from messaging.store.console.search import find_by_key
from messaging.store.models import Delivery
from messaging.store.queue import operator_actions


class IsUncertain(admin.SimpleListFilter):
    """Filters by whether an attempt has an unknown outcome: the message may have arrived, perhaps twice."""

    title = "unknown outcome"
    parameter_name = "uncertain"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices beside "all"."""
        return [("yes", "of an attempt"), ("no", "of no attempt")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[models.Model]"
    ) -> "QuerySet[models.Model]":
        """Return the deliveries of the choice."""
        chosen = {"yes": {"uncertain__gt": 0}, "no": {"uncertain": 0}}
        return queryset.filter(**chosen.get(self.value() or "", {}))


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """The queue, and the deliveries that have ended."""

    list_display = (
        "id",
        "state",
        "via",
        "recipient",
        "attempts",
        "uncertain",
        "units",
        "due_at",
        "reason",
        "message_link",
    )
    list_filter = ("state", "via", IsUncertain, "recipient_network", OfSubscriber, "created_at")
    search_fields = ("sender", "recipient", "=message__id", "message__subject", "device__serial")
    actions = ("retry", "cancel", "release", "refuse")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """Return the deliveries of the message that the term names, else those that the fields find."""
        if ids := find_by_key(search_term).ids:
            return queryset.filter(message_id__in=ids), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="message")
    def message_link(self, delivery: Delivery) -> str:
        """Return a link to the message."""
        page = reverse("admin:users_message_change", args=[delivery.message_id])
        return format_html('<a href="{}">{}</a>', page, delivery.message_id[:8])

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Allow these actions to users that may change deliveries."""
        return request.user.has_perm("users.change_delivery")

    @admin.action(description="Try the selected deliveries again now", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Make deliveries due now that failed, expired, were cancelled or wait."""
        try:
            done = operator_actions.retry(
                _without_joins(chosen), gateway_settings(), timezone.now()
            )
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        self.message_user(request, f"{done.due_now} due now, {done.left_alone} unchanged.")

    @admin.action(description="Cancel the selected deliveries", permissions=["retry"])
    def cancel(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Cancel deliveries that still wait."""
        try:
            done = operator_actions.cancel(_without_joins(chosen), timezone.now())
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        note = f", {done.under_way} of them during an attempt: these may still arrive"
        note = note if done.under_way else ""
        self.message_user(request, f"{done.cancelled} cancelled{note}.")

    @admin.action(description="Release the selected held deliveries", permissions=["retry"])
    def release(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Let held deliveries go."""
        try:
            done = operator_actions.release(
                _without_joins(chosen), gateway_settings(), timezone.now()
            )
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        waiting = f", {done.over_budget} wait for their budgets" * bool(done.over_budget)
        stay = f", {done.switched_off} stay held: switched off" * bool(done.switched_off)
        self.message_user(request, f"{done.released} released{waiting}{stay}.")

    @admin.action(description="Refuse the selected held deliveries", permissions=["retry"])
    def refuse(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Refuse held deliveries; their authors are not told."""
        try:
            number = operator_actions.refuse(_without_joins(chosen), timezone.now())
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        self.message_user(request, f"{number} refused.")


def _without_joins(chosen: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    # An update cannot have the joins of a search.
    return Delivery.objects.filter(id__in=chosen.order_by().values("id"))
