"""The admin pages of subscribers with their devices and contacts, of blocked authors and of opt-outs."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from messaging.store.admin.history import OfSubscriber, gateway_settings
from messaging.store.admission.terms import SenderMode
from messaging.store.console.device_network import check_serial, known_networks, new_codec
from messaging.store.console.save import InvalidInput
from messaging.store.models import BlockedAuthor, Contact, Device, OptOut, Subscriber

if TYPE_CHECKING:
    DeviceForms = forms.ModelForm[Device]
    SubscriberPages = admin.ModelAdmin[Subscriber]
    DevicePages = admin.ModelAdmin[Device]
    OptOutPages = admin.ModelAdmin[OptOut]
    BlockPages = admin.ModelAdmin[BlockedAuthor]
    DeviceLines = admin.TabularInline[Device, Subscriber]
    ContactLines = admin.TabularInline[Contact, Subscriber]
else:
    DeviceForms = forms.ModelForm
    SubscriberPages = DevicePages = OptOutPages = BlockPages = admin.ModelAdmin
    DeviceLines = ContactLines = admin.TabularInline


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

    list_display = (
        *("name", "number", "is_active", "senders", "hears_of_held", "time_zone", "language"),
        *("device_count", "message_list"),
    )
    list_select_related = ("own_mailbox",)
    list_filter = ("is_active", "senders")
    search_fields = ("name", "number", "devices__serial", "devices__nickname")
    inlines: ClassVar = [DeviceInline, ContactInline]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Subscriber]":
        """Count the devices of all subscribers in one query."""
        return super().get_queryset(request).annotate(owned=Count("devices", distinct=True))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the mode of new subscribers."""
        return {
            "senders": gateway_settings().senders,
            **super().get_changeform_initial_data(request),
        }

    @admin.display(description="hears of held messages", boolean=True)
    def hears_of_held(self, subscriber: Subscriber) -> bool | None:
        """Return whether a confirmed mailbox hears of them; None where no message is held."""
        mailbox = getattr(subscriber, "own_mailbox", None)
        is_confirmed = mailbox is not None and mailbox.confirmed_at is not None
        return is_confirmed or (False if subscriber.senders == SenderMode.KNOWN else None)

    @admin.display(description="devices")
    def device_count(self, subscriber: Subscriber) -> int:
        """Return the number of devices."""
        return int(getattr(subscriber, "owned", 0))

    @admin.display(description="messages")
    def message_list(self, subscriber: Subscriber) -> str:
        """Return a link to the messages of the subscriber."""
        query = urlencode({OfSubscriber.parameter_name: subscriber.name})
        page = reverse("admin:users_message_changelist")
        return format_html('<a href="{}?{}">messages</a>', page, query)


@admin.register(Device)
class DeviceAdmin(DevicePages):
    """All devices."""

    form = DeviceForm
    list_display = (
        *("serial", "network", "nickname", "owner", "is_active", "codec", "alphabet"),
        *("adds_position", "is_primary", "heard_at", "time_zone", "language"),
    )
    readonly_fields = ("heard_at",)
    list_filter = ("network", "is_active", "codec")
    list_select_related = ("owner",)
    search_fields = ("serial", "nickname", "owner__name")
    autocomplete_fields = ("owner",)


@admin.register(BlockedAuthor)
class BlockedAuthorAdmin(BlockPages):
    """The authors whose messages are refused, by one subscriber or by all."""

    list_display = ("address", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("address", "owner__name")
    autocomplete_fields = ("owner",)
    fields = ("address", "owner")


@admin.register(OptOut)
class OptOutAdmin(OptOutPages):
    """The opt-outs."""

    list_display = ("peer", "number", "since")
    search_fields = ("peer", "number")
