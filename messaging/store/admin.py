"""The admin pages: subscribers with their devices, and the history of messages with retry and cancel."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.conf import settings as django_settings
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.store.console.device_network import check_serial, known_networks, new_codec
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import summary
from messaging.store.models import (
    AuditEntry,
    Contact,
    Delivery,
    Device,
    Message,
    OptOut,
    Subscriber,
)
from messaging.store.queue import operator_actions

if TYPE_CHECKING:
    DeviceForms = forms.ModelForm[Device]
    SubscriberPages = admin.ModelAdmin[Subscriber]
    DevicePages = admin.ModelAdmin[Device]
    OptOutPages = admin.ModelAdmin[OptOut]
    AnyPages = admin.ModelAdmin[models.Model]
    DeviceLines = admin.TabularInline[Device, Subscriber]
    ContactLines = admin.TabularInline[Contact, Subscriber]
    DeliveryLines = admin.TabularInline[Delivery, Message]
else:
    DeviceForms = forms.ModelForm
    SubscriberPages = DevicePages = OptOutPages = AnyPages = admin.ModelAdmin
    DeviceLines = ContactLines = DeliveryLines = admin.TabularInline


class ReadOnly(AnyPages):
    """History: can be viewed and not changed."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: only the router adds history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history is not changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history is not deleted here."""
        return False


class DeviceForm(DeviceForms):
    """Edits a device: the network is a choice, and the serial is checked as by the command line."""

    any_serial = forms.BooleanField(
        required=False,
        label="odd serial",
        help_text="Take a number that its network would not have.",
    )

    class Meta:
        """All fields."""

        model = Device
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(known_networks())
        # An old row may have a network that there is not: it is shown, and need not be changed.
        if self.instance.network and self.instance.network not in names:
            names.append(self.instance.network)
        choices = [("", "---------"), *((name, name) for name in names)]
        self.fields["network"] = forms.ChoiceField(choices=choices)

    def clean(self) -> dict[str, Any]:
        """Check the serial where it or the network changed, and give a new device its codec."""
        super().clean()
        values = self.cleaned_data
        network, serial = values.get("network"), values.get("serial")
        if network and serial and {"network", "serial"} & set(self.changed_data):
            try:
                any_serial = bool(values.get("any_serial"))
                values["serial"] = check_serial(serial, network, any_serial=any_serial)
            except InvalidInput as error:
                self.add_error("serial", str(error).removeprefix("serial: "))
        if network and self.instance._state.adding and not values.get("codec"):
            values["codec"] = new_codec(network)
        return values


class DeviceInline(DeviceLines):
    """The devices of a subscriber, on the subscriber's page."""

    model = Device
    form = DeviceForm
    extra = 0


class ContactInline(ContactLines):
    """The contacts of a subscriber, on the subscriber's page."""

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
        """Count the devices of all subscribers in one query."""
        return super().get_queryset(request).annotate(owned=Count("devices", distinct=True))

    @admin.display(description="devices")
    def device_count(self, subscriber: Subscriber) -> int:
        """Return the number of devices."""
        return int(getattr(subscriber, "owned", 0))


@admin.register(Device)
class DeviceAdmin(DevicePages):
    """All devices."""

    form = DeviceForm
    list_display = ("serial", "network", "nickname", "owner", "is_active", "codec", "adds_position")
    list_filter = ("network", "is_active", "codec")
    list_select_related = ("owner",)
    search_fields = ("serial", "nickname", "owner__name")
    autocomplete_fields = ("owner",)


@admin.register(OptOut)
class OptOutAdmin(OptOutPages):
    """The opt-outs."""

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
        """Refuse: only the router adds deliveries."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: deliveries change by retry and cancel only."""
        return False


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """All accepted messages and dead letters."""

    list_display = ("id", "created_at", "sender", "recipient", "via", "subject", "state")
    list_filter = ("deliveries__state", "via", "created_at")
    search_fields = ("=id", "sender", "recipient", "subject", "subscriber__name")
    exclude = ("raw",)
    inlines: ClassVar = [DeliveryInline]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[models.Model]":
        """Leave out the bytes, and read the states of a whole page in one query."""
        return super().get_queryset(request).defer("raw").prefetch_related("deliveries")

    @admin.display
    def state(self, message: Message) -> str:
        """Return the summary of the states of the deliveries."""
        return summary(delivery.state for delivery in message.deliveries.all())


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly):
    """The changes by operators."""

    list_display = ("at", "channel", "actor", "action", "kind", "object_id", "parent_id", "fields")
    list_filter = ("action", "kind", "channel", "at")
    search_fields = ("=object_id", "=parent_id")


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
    list_filter = ("state", "via", IsUncertain, "recipient_network", "created_at")
    search_fields = ("sender", "recipient", "=message__id", "message__subject", "device__serial")
    actions = ("retry", "cancel")

    @admin.display(description="message")
    def message_link(self, delivery: Delivery) -> str:
        """Return a link to the message."""
        page = reverse("admin:users_message_change", args=[delivery.message_id])
        return format_html('<a href="{}">{}</a>', page, delivery.message_id[:8])

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Allow retry and cancel to users that may change deliveries."""
        return request.user.has_perm("users.change_delivery")

    @admin.action(description="Try the selected deliveries again now", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: "QuerySet[Delivery]") -> None:
        """Make deliveries due now that failed, expired, were cancelled or wait."""
        settings = cast(Settings, getattr(django_settings, "SATBRIDGE"))  # noqa: B009
        try:
            done = operator_actions.retry(_without_joins(chosen), settings, timezone.now())
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


def _without_joins(chosen: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    # An update cannot have the joins of a search.
    return Delivery.objects.filter(id__in=chosen.order_by().values("id"))
