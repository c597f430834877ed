"""THE declaration: how messages move through the gateway. Everything else serves what stands here.

Importing it imports models, so the process has to be set up for Django first (`store.db.connection.set_up_django`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from messaging.config.settings import Settings
from messaging.gateway import MAIL, Gateway
from messaging.mail.bounce_addresses import BounceAddresses
from messaging.mail.send import MailSender
from messaging.mail.smtp.listener import MailReceiver
from messaging.model.message import (
    Delivery,
    Inbound,
    Outcome,
    goes_by,
    is_delivery,
    is_outcome,
    is_urgent,
    recipient_key,
    subscriber_key,
)
from messaging.satellite.account import (
    ListeningAccount,
    MailedAccount,
    SatelliteAccount,
)
from messaging.satellite.mailbox import SatelliteMailbox
from messaging.satellite.poller import PolledAccount, SatellitePoller
from messaging.satellite.sender import SatelliteSender
from messaging.satellite.status_poller import StatusPoller, TracedAccount
from messaging.satellite.tcp_listener import SatelliteListener
from messaging.sending.sender import SenderOperator
from messaging.sending.user_operators import UserOperators
from messaging.sms.fetcher import FetchedAccount, SmsFetcher
from messaging.sms.sender import SmsSender
from messaging.store.accept.router import Router
from messaging.store.db.django_settings import secret_key
from messaging.store.fetch_history import FetchHistory
from messaging.store.queue.begin import StoreBegins
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger
from messaging.store.receipts.unconfirmed import Unconfirmed
from messaging.store.task_lock import TaskLease
from messaging.streaming.api import Dataflow, Graph, Handover, Stream
from messaging.streaming.runtime.operator_thread import OperatorThread

HTTP_IN = "http-in"
MAIL_IN = "mail-in"
MAIL_OUT = "mail-out"


def declare(gateway: Gateway) -> Graph:
    """Return the dataflow of a gateway.

    Sources acknowledge a record when the router has committed it. Deliveries of the router and of `due` go to the
    senders, of whose copies one begins each attempt; the senders' outcomes go to the ledger until it takes them.
    """
    dataflow = Dataflow()
    due = partial(Due, gateway.settings, gateway.capacity, gateway.default_accounts)
    deliveries = _accept(dataflow, gateway).union(dataflow.source("due", due))
    outcomes = [_send(deliveries, gateway, account) for account in gateway.capacity]
    if outcomes:
        _settle(outcomes, gateway)
    return dataflow.graph()


def _accept(dataflow: Dataflow, gateway: Gateway) -> Stream[Delivery]:
    settings = gateway.settings
    mailboxes = tuple(
        SatelliteMailbox(account, name)
        for name, account in gateway.satellites.items()
        if isinstance(account, MailedAccount)
    )
    receive_mail = partial(
        MailReceiver,
        gateway.smtp,
        settings.mail_domain,
        share_port=settings.mail_receivers > 1,
        pod_label=gateway.pod_label,
        mailboxes=mailboxes,
        bounce_addresses=_bounce_addresses(settings),
        authentication=gateway.authentication,
        dns=gateway.dns,
    )
    mail = dataflow.source(MAIL_IN, receive_mail, parallelism=settings.mail_receivers)
    satellites = [
        dataflow.source(f"{name}-in", source)
        for name, account in gateway.satellites.items()
        if (source := _satellite_source(gateway, name, account))
    ]
    inbound: Stream[Inbound] = mail.union(
        dataflow.inlet(HTTP_IN), *satellites, *_fetch_texts(dataflow, gateway)
    )
    return inbound.key_by(subscriber_key).operate(
        "router",
        partial(
            Router,
            settings,
            gateway.default_accounts,
            gateway.codecs,
            shared_accounts=gateway.shared_accounts,
            providers=gateway.satellite_providers,
            whatsapp_accounts=gateway.whatsapp_accounts,
            unit_counters=gateway.unit_counters,
        ),
        parallelism=settings.router_count,
        durable=True,
    )


def _bounce_addresses(settings: Settings) -> BounceAddresses:
    return BounceAddresses(partial(secret_key, settings))


def _fetch_texts(dataflow: Dataflow, gateway: Gateway) -> list[Stream[Inbound]]:
    """Return the sources of the texts that no webhook brought, one for each account with a list of them."""
    settings = gateway.settings
    return [
        dataflow.source(
            f"{name}-in",
            partial(
                SmsFetcher,
                account,
                name,
                FetchHistory(settings, name, account.history),
                TaskLease(settings, f"fetch {name}", gateway.holder),
            ),
        )
        for name, account in gateway.sms.items()
        if isinstance(account, FetchedAccount) and account.fetch_minutes
    ]


def _satellite_source(
    gateway: Gateway, name: str, account: SatelliteAccount
) -> Callable[[], Any] | None:
    """Return the source of an account that is polled or that connects to the gateway; None for webhooks only."""
    settings = gateway.settings
    match account:
        case PolledAccount():
            lease = TaskLease(settings, f"poll {name}", gateway.holder)
            return partial(SatellitePoller, account, name, lease)
        case ListeningAccount():
            return partial(SatelliteListener, account, name)
        case TracedAccount() if account.traces:
            lease = TaskLease(settings, f"trace {name}", gateway.holder)
            unconfirmed = Unconfirmed(settings, name, account.trace_hours)
            return partial(StatusPoller, account, name, unconfirmed, lease)
    return None


def _send(deliveries: Stream[Delivery], gateway: Gateway, account: str) -> Stream[Outcome]:
    carried = deliveries.filter(partial(goes_by, account), label=account)
    if not gateway.settings.steps:
        return _by_sender(carried, gateway, account)
    # A stage of its own for each account: a slow user operator delays that account only. What it loses is due
    # again a few seconds later.
    processed = carried.key_by(recipient_key).operate(
        f"{account}-steps",
        partial(UserOperators, gateway.settings.steps),
        handover=Handover.AT_MOST_ONCE,
        first=is_urgent,
    )
    refused = processed.filter(is_outcome, label="refused")
    return _by_sender(processed.filter(is_delivery), gateway, account).union(refused)


def _by_sender(carried: Stream[Delivery], gateway: Gateway, account: str) -> Stream[Outcome]:
    settings = gateway.settings
    name = f"{account}-out"
    if account == MAIL and gateway.relay:
        name = MAIL_OUT
        addresses = _bounce_addresses(settings) if gateway.relay.bounce_addresses else None
        sender: Any = partial(
            MailSender,
            gateway.relay,
            settings.mail_domain,
            bounce_addresses=addresses,
            dkim=gateway.dkim,
        )
    elif account in gateway.satellites:
        sender = partial(SatelliteSender, gateway.satellites[account], settings.satellite_max_parts)
    else:
        sender = partial(SmsSender, gateway.sms[account], settings.public_url)
    return carried.key_by(recipient_key).operate(
        name,
        partial(SenderOperator, sender, partial(begin_thread, settings)),
        handover=Handover.AT_MOST_ONCE,
        first=is_urgent,
    )


def begin_thread(settings: Settings) -> OperatorThread:
    """Return the thread on which a sender begins its attempts: all that wait together share a transaction."""
    return OperatorThread("begin", StoreBegins(settings).process)


def _settle(outcomes: list[Stream[Outcome]], gateway: Gateway) -> None:
    reported = outcomes[0].union(*outcomes[1:]) if len(outcomes) > 1 else outcomes[0]
    reported.key_by("delivery_id").operate(
        "ledger",
        partial(Ledger, gateway.settings, gateway.default_accounts),
        parallelism=gateway.settings.router_count,
        durable=True,
        handover=Handover.AT_LEAST_ONCE,
    )
