"""The admin pages: subscribers with their devices, and the history of messages with retry and cancel."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.conf import settings as django_settings
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.store.console.messages import summary
from messaging.store.db.clock import utc_now
from messaging.store.models import Contact, Delivery, Device, Message, OptOut, Subscriber
from messaging.store.queue import operator_actions

if TYPE_CHECKING:
    SubscriberPages = admin.ModelAdmin[Subscriber]
    DevicePages = admin.ModelAdmin[Device]
    OptOutPages = admin.ModelAdmin[OptOut]
    AnyPages = admin.ModelAdmin[models.Model]
    DeviceLines = admin.TabularInline[Device, Subscriber]
    ContactLines = admin.TabularInline[Contact, Subscriber]
    DeliveryLines = admin.TabularInline[Delivery, Message]
else:
    SubscriberPages = DevicePages = OptOutPages = AnyPages = admin.ModelAdmin
    DeviceLines = ContactLines = DeliveryLines = admin.TabularInline


class ReadOnly(AnyPages):
    """History: to be looked at, not to be written."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody invents history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rewrites history."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody erases history here."""
        return False


class DeviceInline(DeviceLines):
    """The devices of a subscriber, on the subscriber's page."""

    model = Device
    extra = 0


class ContactInline(ContactLines):
    """Whom the devices of a subscriber can name, on the subscriber's page."""

    model = Contact
    extra = 0


@admin.register(Subscriber)
class SubscriberAdmin(SubscriberPages):
    """Subscribers with their devices and contacts."""

    list_display = ("name", "number", "is_active", "device_count")
    list_filter = ("is_active",)
    search_fields = ("name", "number", "devices__serial", "devices__nickname")
    inlines: ClassVar = [DeviceInline, ContactInline]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Subscriber]":
        """Count the devices of all in one query."""
        return super().get_queryset(request).annotate(owned=Count("devices", distinct=True))

    @admin.display(description="devices")
    def device_count(self, subscriber: Subscriber) -> int:
        """How many devices somebody has."""
        return int(getattr(subscriber, "owned", 0))


@admin.register(Device)
class DeviceAdmin(DevicePages):
    """All devices."""

    list_display = ("serial", "network", "nickname", "owner", "is_active", "codec", "adds_position")
    list_filter = ("network", "is_active", "codec")
    list_select_related = ("owner",)
    search_fields = ("serial", "nickname", "owner__name")
    autocomplete_fields = ("owner",)


@admin.register(OptOut)
class OptOutAdmin(OptOutPages):
    """The phones that want nothing from a number of ours."""

    list_display = ("peer", "number", "since")
    search_fields = ("peer", "number")


class DeliveryInline(DeliveryLines):
    """The deliveries of a message, on the message's page."""

    model = Delivery
    extra = 0
    can_delete = False
    show_change_link = True
    fields = ("state", "via", "recipient", "attempts", "uncertain", "units", "reason", "updated_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deliveries come from the router only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deliveries are changed by retry and cancel only."""
        return False


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """Everything that was taken."""

    list_display = ("id", "created_at", "sender", "recipient", "via", "subject", "state")
    list_filter = ("deliveries__state", "via", "created_at")
    search_fields = ("=id", "sender", "recipient", "subject", "subscriber__name")
    exclude = ("raw",)
    inlines: ClassVar = [DeliveryInline]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[models.Model]":
        """Leave the bytes where they are, and fetch the states of a whole page together."""
        return super().get_queryset(request).defer("raw").prefetch_related("deliveries")

    @admin.display
    def state(self, message: Message) -> str:
        """The states of the deliveries, summed up."""
        return summary(delivery.state for delivery in message.deliveries.all())


class IsUncertain(admin.SimpleListFilter):
    """Whether the outcome of an attempt is unknown, so that it may have arrived, perhaps twice."""

    title = "unknown outcome"
    parameter_name = "uncertain"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices beside "all"."""
        return [("yes", "of some attempt"), ("no", "of none")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[models.Model]"
    ) -> "QuerySet[models.Model]":
        """Keep what was chosen."""
        chosen = {"yes": {"uncertain__gt": 0}, "no": {"uncertain": 0}}
        return queryset.filter(**chosen.get(self.value() or "", {}))


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """What is owed, and what became of everything else."""

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
    list_filter = ("state", "via", IsUncertain, "recipient_network", "created_at")
    search_fields = ("sender", "recipient", "=message__id", "message__subject", "device__serial")
    actions = ("retry", "cancel")

    @admin.display(description="message")
    def message_link(self, delivery: Delivery) -> str:
        """A link to the message."""
        page = reverse("admin:users_message_change", args=[delivery.message_id])
        return format_html('<a href="{}">{}</a>', page, delivery.message_id[:8])

    def has_intervene_permission(self, request: HttpRequest) -> bool:
        """Whoever may change deliveries may ask for another round, and call one off."""
        return request.user.has_perm("users.change_delivery")

    @admin.action(description="Try the selected deliveries again now", permissions=["intervene"])
    def retry(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Make what failed, expired, was cancelled or waits due now."""
        settings = cast(Settings, getattr(django_settings, "SATBRIDGE"))  # noqa: B009
        try:
            done = operator_actions.retry(_plain(chosen), settings, utc_now())
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        self.message_user(request, f"{done.due_now} due now, {done.left_alone} left alone.")

    @admin.action(description="Cancel the selected deliveries", permissions=["intervene"])
    def cancel(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Call off what still waits."""
        try:
            done = operator_actions.cancel(_plain(chosen), utc_now())
        except Unavailable as error:
            return self.message_user(request, error.reason, messages.ERROR)
        note = f", {done.under_way} of them under way: these may still arrive" * bool(
            done.under_way
        )
        self.message_user(request, f"{done.cancelled} cancelled{note}.")


def _plain(chosen: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    """The same rows without the joins of a search, which an update cannot have."""
    return Delivery.objects.filter(id__in=chosen.order_by().values("id"))
