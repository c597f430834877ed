"""The admin pages of messages and dead letters: they search, try again, and send on."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings as django_settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from messaging.errors import Unavailable
from messaging.store.admin.history import OfSubscriber, ReadOnly, gateway_settings
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
from messaging.store.console.selection import DEAD_LETTER, summary
from messaging.store.db.encryption import current_cipher
from messaging.store.models import Delivery, Message
from messaging.store.queue import operator_actions

if TYPE_CHECKING:
    DeliveryLines = admin.TabularInline[Delivery, Message]
else:
    DeliveryLines = admin.TabularInline

MAX_RAW_CHARACTERS = 4000
SEARCHED = "A part of a text, subject, address or name; an id (at least 6 characters); or a Message-ID in <>."
SEARCHED_ENCRYPTED = (
    f" Texts and subjects are encrypted (SATBRIDGE_STORE_KEY): those of the newest {MAX_DECRYPTED:,}"
    " messages are searched."
)
PLAIN_FIELDS = ("sender", "recipient", "subscriber__name")


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
        link = place.map_link(gateway_settings().map_url)
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
            done = operator_actions.retry(deliveries, gateway_settings(), timezone.now())
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
        return KeptMessages(gateway_settings(), policy)
