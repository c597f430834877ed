"""The admin pages: subscribers with their devices, and the history of messages with retry and cancel."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.conf import settings as django_settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import models
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.store.admission.terms import SenderMode
from messaging.store.budgets import admin_pages as admin_pages
from messaging.store.console.device_network import check_serial, known_networks, new_codec
from messaging.store.console.kept import KeptMessages, position_near, text_of
from messaging.store.console.readable import printable, readable
from messaging.store.console.save import InvalidInput
from messaging.store.console.search import (
    MAX_DECRYPTED,
    MAX_HITS,
    TEXT_FIELDS,
    find_by_key,
    find_by_text,
)
from messaging.store.console.selection import DEAD_LETTER, of_subscriber, summary
from messaging.store.db.encryption import current_cipher
from messaging.store.models import (
    AuditEntry,
    BlockedAuthor,
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
    BlockPages = admin.ModelAdmin[BlockedAuthor]
    AnyPages = admin.ModelAdmin[models.Model]
    DeviceLines = admin.TabularInline[Device, Subscriber]
    ContactLines = admin.TabularInline[Contact, Subscriber]
    DeliveryLines = admin.TabularInline[Delivery, Message]
else:
    DeviceForms = forms.ModelForm
    SubscriberPages = DevicePages = OptOutPages = BlockPages = AnyPages = admin.ModelAdmin
    DeviceLines = ContactLines = DeliveryLines = admin.TabularInline


MAX_RAW_CHARACTERS = 4000
MAX_SUBSCRIBERS_LISTED = 50
ENCRYPTED = "Subjects are encrypted (SATBRIDGE_STORE_KEY) and cannot be searched."
SEARCHED = "A part of a text, subject, address or name; an id (at least 6 characters); or a Message-ID in <>."
SEARCHED_ENCRYPTED = (
    f" Texts and subjects are encrypted (SATBRIDGE_STORE_KEY): those of the newest {MAX_DECRYPTED:,}"
    " messages are searched."
)
PLAIN_FIELDS = ("sender", "recipient", "subscriber__name")


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
        return {"senders": _settings().senders, **super().get_changeform_initial_data(request)}

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


class RecipientForm(ActionForm):
    """The recipient of the action that sends dead letters on."""

    recipient = forms.CharField(
        required=False, label="Recipient", help_text="A mailbox, number, subscriber or device."
    )


class IsDeadLetter(admin.SimpleListFilter):
    """Filters by whether a message has no recipient and is kept for people."""

    title = "undeliverable"
    parameter_name = DEAD_LETTER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices beside "all"."""
        return [("yes", "undeliverable"), ("no", "with a recipient")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[models.Model]"
    ) -> "QuerySet[models.Model]":
        """Return the messages of the choice."""
        has_delivery = Exists(Delivery.objects.filter(message_id=OuterRef("pk")))
        chosen = {"yes": ~has_delivery, "no": has_delivery}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


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


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """All accepted messages and dead letters."""

    list_display = ("id", "created_at", "sender", "recipient", "via", "subject", "state")
    list_filter = (IsDeadLetter, "deliveries__state", "via", OfSubscriber, "created_at")
    search_fields = (*PLAIN_FIELDS, *TEXT_FIELDS)
    exclude = ("raw", "text", "whole_text")
    readonly_fields = ("text_or_bytes", "text_as_it_was_written", "bytes_as_they_came", "position")
    inlines: ClassVar = [DeliveryInline]
    actions = ("retry", "deliver")
    action_form = RecipientForm

    def get_queryset(self, request: HttpRequest) -> "QuerySet[models.Model]":
        """Leave out the bytes, and read the states of a whole page in one query."""
        return (
            super().get_queryset(request).defer("raw", "whole_text").prefetch_related("deliveries")
        )

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Return all fields, and say beside the search how it works."""
        is_encrypted = current_cipher() is not None
        type(self).search_help_text = SEARCHED + SEARCHED_ENCRYPTED * is_encrypted
        return list(self.search_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """Return the messages that the term names, else those with each of its words, within the bounds of a search."""
        parts = [
            unescape_string_literal(one) if one[0] in "\"'" and one[0] == one[-1] != one else one
            for one in smart_split(search_term)
        ]
        if not parts:
            return queryset, False
        hits = find_by_key(search_term)
        ids = set(hits.ids)
        if not ids:
            hits = find_by_text(queryset, parts, MAX_HITS, self.search_fields)
            ids = set(hits.ids)
            if current_cipher() is not None:  # the addresses are in plain: all are searched
                ids |= set(find_by_text(queryset, parts, MAX_HITS, PLAIN_FIELDS).ids)
            if since := hits.searched_since:
                note = f"Only messages since {since:%Y-%m-%d %H:%M} UTC were searched."
                self.message_user(request, note, messages.WARNING)
        return queryset.filter(pk__in=ids), False

    @admin.display
    def state(self, message: Message) -> str:
        """Return the summary of the states of the deliveries."""
        return summary(delivery.state for delivery in message.deliveries.all())

    @admin.display(description="text")
    def text_or_bytes(self, message: Message) -> str:
        """Return the text, or the bytes of a dead letter in a form that can be read."""
        return printable(text_of(message))

    @admin.display(description="as it was written")
    def text_as_it_was_written(self, message: Message) -> str:
        """Return all of the text, where devices are shown less of it."""
        return printable(message.whole_text)

    @admin.display(description="as it came")
    def bytes_as_they_came(self, message: Message) -> str:
        """Return the bytes of a dead letter, escaped where they are no text."""
        return readable(bytes(message.raw or b""))[:MAX_RAW_CHARACTERS]

    @admin.display(description="position of its device then")
    def position(self, message: Message) -> SafeString | str:
        """Return the last position that the device reported within the hour before, as a link to a map."""
        place = position_near(message)
        if place is None:
            return "-"
        link = place.map_link(_settings().map_url)
        text = f"{place.latitude:.5f}, {place.longitude:.5f} at {place.at:%Y-%m-%d %H:%M} UTC"
        return format_html('<a href="{}" rel="noreferrer">{}</a>', link, text)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Allow to send on to users that may change deliveries."""
        return request.user.has_perm("users.change_delivery")

    @admin.action(description="Try the selected messages again now", permissions=["send"])
    def retry(self, request: HttpRequest, chosen: "QuerySet[Message]") -> None:
        """Retry the deliveries of messages, and send dead letters where they can be routed now."""
        ids = list(chosen.values_list("id", flat=True))
        try:
            deliveries = Delivery.objects.filter(message_id__in=ids)
            done = operator_actions.retry(deliveries, _settings(), timezone.now())
            dead_letters = Message.objects.filter(
                id__in=ids, raw__isnull=False, deliveries__isnull=True
            ).order_by("created_at", "id")
            dead_ids = list(dead_letters.values_list("id", flat=True))
            sent_on = [self._kept().retry(id) for id in dead_ids]
        except (Unavailable, InvalidInput) as error:
            return self.message_user(request, str(error), messages.ERROR)
        number = done.due_now + sum(len(one.deliveries) for one in sent_on if one.is_new)
        left = done.left_alone + sum(not one.is_new for one in sent_on)
        self.message_user(request, f"{number} due now, {left} unchanged.")

    @admin.action(
        description="Send the selected dead letters on to the recipient", permissions=["send"]
    )
    def deliver(self, request: HttpRequest, chosen: "QuerySet[Message]") -> None:
        """Send dead letters on to the recipient that stands beside the action, each once."""
        to = request.POST.get("recipient", "").strip()
        if not to:
            return self.message_user(request, "Enter the recipient.", messages.ERROR)
        new = earlier = 0
        try:
            for id in chosen.values_list("id", flat=True):
                done = self._kept().deliver(id, to)
                new, earlier = new + done.is_new, earlier + (not done.is_new)
        except (Unavailable, InvalidInput) as error:
            return self.message_user(request, str(error), messages.ERROR)
        self.message_user(request, f"{new} sent on, {earlier} had been sent on before.")

    def _kept(self) -> KeptMessages:
        policy = getattr(django_settings, "SATBRIDGE_POLICY", None)
        if policy is None:
            raise Unavailable("the networks are not known here; use satbridge messages deliver")
        return KeptMessages(_settings(), policy)


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
            done = operator_actions.retry(_without_joins(chosen), _settings(), timezone.now())
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
            done = operator_actions.release(_without_joins(chosen), _settings(), timezone.now())
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


def _settings() -> Settings:
    return cast(Settings, getattr(django_settings, "SATBRIDGE"))  # noqa: B009


def _without_joins(chosen: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    # An update cannot have the joins of a search.
    return Delivery.objects.filter(id__in=chosen.order_by().values("id"))
