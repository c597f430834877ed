"""THE declaration: how messages move through the gateway. Everything else serves what stands here."""

from collections.abc import Callable
from functools import partial
from typing import Any

from messaging.config.settings import Settings
from messaging.gateway import MAIL, Gateway
from messaging.mail.send import send_mail
from messaging.mail.smtp.listener import MailReceiver
from messaging.model.message import (
    Bounce,
    Delivery,
    Inbound,
    Network,
    OptOutChange,
    Outcome,
    Receipt,
    RecipientCheck,
)
from messaging.satellite.account import (
    ListeningAccount,
    MailedAccount,
    PolledAccount,
    SatelliteAccount,
)
from messaging.satellite.mailbox import SatelliteMailbox
from messaging.satellite.poller import SatellitePoller
from messaging.satellite.sender import SatelliteSender
from messaging.satellite.status_poller import StatusPoller, TracedAccount
from messaging.satellite.tcp_listener import SatelliteListener
from messaging.sending.user_operators import UserOperators
from messaging.sms.sender import SmsSender
from messaging.store.accept.router import Router
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.receipts.unconfirmed import Unconfirmed
from messaging.store.task_lock import TaskLease
from messaging.streaming import DataStream, Graph, Handover, StreamingContext

HTTP_IN = "http-in"
MAIL_IN = "mail-in"
MAIL_OUT = "mail-out"


def declare(gateway: Gateway) -> Graph:
    """Return the dataflow of a gateway.

    What a source offers is answered when the router has committed it. What the router and `due` owe goes to the
    senders, at most once for each attempt; what the senders report goes to the ledger until it is taken.
    """
    context = StreamingContext.Builder().build()
    owed = _accepted(context, gateway).union(_due(context, gateway))
    outcomes = [_sent(owed, gateway, via) for via in gateway.capacity]
    if outcomes:
        _settle(outcomes, gateway)
    return context.graph()


def _accepted(context: StreamingContext, gateway: Gateway) -> DataStream[Delivery]:
    settings = gateway.settings
    shared = settings.mail_receivers > 1
    mailboxes = tuple(
        SatelliteMailbox(account, name)
        for name, account in gateway.satellites.items()
        if isinstance(account, MailedAccount)
    )
    receive_mail = partial(
        MailReceiver,
        gateway.smtp,
        settings.mail_domain,
        share_port=shared,
        pod_label=gateway.pod_label,
        mailboxes=mailboxes,
    )
    mail = context.source(MAIL_IN, receive_mail, parallelism=settings.mail_receivers)
    satellites = [
        context.source(f"{name}-in", source)
        for name, account in gateway.satellites.items()
        if (source := _satellite_source(gateway, name, account))
    ]
    inbound: DataStream[Inbound] = mail.union(context.inlet(HTTP_IN), *satellites)
    return inbound.key_by(subscriber_key).operate(
        "router",
        partial(Router, settings, gateway.default_accounts, gateway.codecs),
        parallelism=settings.router_count,
        durable=True,
    )


def _satellite_source(
    gateway: Gateway, name: str, account: SatelliteAccount
) -> Callable[[], Any] | None:
    """The source of a network that we ask, for messages or for news, or that connects to us; none for others."""
    match account:
        case PolledAccount():
            return partial(_poller, gateway.settings, gateway.holder, name, account)
        case ListeningAccount():
            return partial(SatelliteListener, account, name)
        case TracedAccount() if account.traces:
            return partial(_tracer, gateway.settings, gateway.holder, name, account)
    return None


def _poller(settings: Settings, holder: str, name: str, account: PolledAccount) -> SatellitePoller:
    return SatellitePoller(account, name, TaskLease(settings, f"poll {name}", holder))


def _tracer(settings: Settings, holder: str, name: str, account: TracedAccount) -> StatusPoller:
    unheard = Unconfirmed(settings, name, account.trace_hours)
    return StatusPoller(account, name, unheard, TaskLease(settings, f"trace {name}", holder))


def _due(context: StreamingContext, gateway: Gateway) -> DataStream[Delivery]:
    return context.source(
        "due", partial(Due, gateway.settings, gateway.capacity, gateway.default_accounts)
    )


def _sent(owed: DataStream[Delivery], gateway: Gateway, via: str) -> DataStream[Outcome]:
    mine = owed.filter(partial(_goes_by, via), label=via)
    if not gateway.settings.steps:
        return _by_sender(mine, gateway, via)
    # A stage of their own for each provider: whatever a step does, it holds up nobody else, and what it loses
    # is owed again when its lease ends.
    stepped = mine.key_by(_recipient).operate(
        f"{via}-steps",
        partial(UserOperators, gateway.settings.steps),
        handover=Handover.AT_MOST_ONCE,
        first=_is_urgent,
    )
    refused = stepped.filter(_is_outcome, label="refused")
    return _by_sender(stepped.filter(_is_delivery), gateway, via).union(refused)


def _by_sender(mine: DataStream[Delivery], gateway: Gateway, via: str) -> DataStream[Outcome]:
    if via == MAIL and gateway.relay:
        send = partial(send_mail, gateway.relay, gateway.settings.mail_domain)
        return mine.call(MAIL_OUT, send, first=_is_urgent)
    by_recipient = mine.key_by(_recipient)
    if via in gateway.satellites:
        max_parts = gateway.settings.satellite_max_parts
        sender: Any = partial(SatelliteSender, gateway.satellites[via], max_parts)
    else:
        sender = partial(SmsSender, gateway.sms[via], gateway.settings.public_url)
    return by_recipient.operate(
        f"{via}-out", sender, handover=Handover.AT_MOST_ONCE, first=_is_urgent
    )


def _settle(outcomes: list[DataStream[Outcome]], gateway: Gateway) -> None:
    reported = outcomes[0].union(*outcomes[1:]) if len(outcomes) > 1 else outcomes[0]
    reported.key_by(_delivery_id).operate(
        "ledger",
        partial(Ledger, gateway.settings, gateway.default_accounts),
        parallelism=gateway.settings.router_count,
        durable=True,
        handover=Handover.AT_LEAST_ONCE,
    )


def subscriber_key(record: Inbound) -> str:
    """What all records of one subscriber's mailbox, number or device share: the side of the record that is ours."""
    match record:
        case RecipientCheck():
            return record.recipient.value
        case OptOutChange() | Bounce():
            return record.recipient.value
        case Receipt():
            return record.network_id
        case _ if record.sender.network is Network.SATELLITE:
            return record.sender.value
        case _:
            return (getattr(record, "recipient", None) or record.sender).value


def _goes_by(via: str, delivery: Delivery) -> bool:
    return delivery.via == via


def _is_delivery(record: Delivery | Outcome) -> bool:
    return isinstance(record, Delivery)


def _is_outcome(record: Delivery | Outcome) -> bool:
    return isinstance(record, Outcome)


def _is_urgent(delivery: Delivery) -> bool:
    return delivery.is_urgent


def _recipient(delivery: Delivery) -> str:
    return delivery.message.recipient.value


def _delivery_id(outcome: Outcome) -> int:
    return outcome.delivery_id
