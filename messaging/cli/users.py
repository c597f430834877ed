"""The commands `users` and `devices`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from messaging.cli.contacts import blocks, contacts
from messaging.cli.output import Json, print_error, print_json, print_table, print_text
from messaging.cli.removal import erase_user, export_user, remove_device, remove_user
from messaging.cli.store import open_settings_store
from messaging.gateway import read_gateway, satellite_names
from messaging.model.message import Network
from messaging.satellite.providers import ACCOUNTS
from messaging.store.accept import positions
from messaging.store.admission import mailboxes
from messaging.store.admission.terms import SenderMode
from messaging.store.console import directory
from messaging.store.console.contacts import list_contacts
from messaging.store.console.device_network import new_codec, serial_doubt
from messaging.store.console.selection import require_known

users = typer.Typer(
    help="The subscribers: each has a mailbox and a number here.", no_args_is_help=True
)
users.add_typer(contacts, name="contacts")
users.add_typer(blocks, name="blocks")
users.command("export")(export_user)
users.command("erase")(erase_user)
users.command("remove")(remove_user)
devices = typer.Typer(help="The satellite devices of the subscribers.", no_args_is_help=True)
devices.command("remove")(remove_device)

Name = Annotated[str, typer.Argument(help="The part before @ of the mailbox.")]
Number = Annotated[str | None, typer.Option(help="The gateway's number for SMS, as +15550001111.")]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether messages are accepted.")
]
SENDERS = (
    "From whom messages go to its devices: known (contacts, and whom a device wrote to; others wait"
    " for a decision), open (all), closed (none)."
)
Senders = Annotated[SenderMode | None, typer.Option(help=SENDERS)]
MAIL = (
    "A mailbox of its own elsewhere that hears of held messages once a day, after it is confirmed by"
    " the code that is mailed to it; again for a new code; empty for none."
)
Mail = Annotated[str | None, typer.Option(help=MAIL)]
Serial = Annotated[str, typer.Argument(help="The device's number on its network.")]
Owner = Annotated[str | None, typer.Option(help="The user that carries it.")]
NETWORKS = f"One of: {', '.join(ACCOUNTS)}, or a further account such as hive-north."
SatelliteName = Annotated[
    str | None, typer.Option(help="Its account, if several know this number.")
]
POSITION_COLUMNS = (
    *("when (UTC)", "device", "owner", "north", "east"),
    *("metres high", "within", "battery", "sos"),
)
CODEC = "Its format: protobuf or text; empty for the format of its network."
ALPHABET = "The characters of texts to it: exact, plain or ascii; empty for those of its network."
PRIMARY = "Whether messages for its owner go to it; else they go to the device that was heard last."
NEW_CODEC = "Its format: protobuf or text. Without it text where people type on the device."
AnySerial = Annotated[
    bool, typer.Option("--any-serial", help="Take a number that its network would not have.")
]
POSITION = "Whether mail and SMS from it end with where it was."
TIME_ZONE = "Of the times on its devices, such as Europe/Berlin."
LANGUAGE = "Of the gateway's texts to its devices, such as en or de."
OWN_TIME_ZONE = "Of the times on it, such as Europe/Berlin; empty for that of its owner."
OWN_LANGUAGE = "Of the gateway's texts to it, such as en or de; empty for that of its owner."
Nickname = Annotated[str | None, typer.Option(help="Its name among people.")]


@users.command("add")
def add_user(
    name: Name,
    number: Number = None,
    senders: Senders = None,
    time_zone: Annotated[str, typer.Option(help=TIME_ZONE)] = "UTC",
    language: Annotated[str, typer.Option(help=LANGUAGE)] = "en",
    mail: Mail = None,
    as_json: Json = False,
) -> None:
    """Add a subscriber."""
    if mail:  # before anything is written
        gateway = read_gateway()
        account = gateway.default_accounts.get(Network.EMAIL)
        mailboxes.check_mailbox(mail, gateway.settings.mail_domain, account)
    settings = open_settings_store(creates=True)
    mode = senders.value if senders else settings.senders
    row = directory.add_subscriber(
        name, number, senders=mode, time_zone=time_zone, language=language
    )
    if mail:
        row = _change_mailbox(row.name, mail)
    print_json(row) if as_json else print_text(
        f"added {row.name}" + (f", {row.number}" if row.number else "")
    )
    _warn_without_contact(row.name)


def _change_mailbox(name: str, address: str) -> directory.SubscriberRow:
    """Enter a mailbox, and say how it is confirmed."""
    gateway = read_gateway()
    account = gateway.default_accounts.get(Network.EMAIL)
    now = datetime.now(UTC)
    done = mailboxes.change_mailbox(name, address, gateway.settings, account, now)
    if done.address and not done.is_confirmed:
        print_error(
            f"a code was sent to {done.address}: the link in that mail confirms it, or"
            f" satbridge users confirm {done.name} CODE"
        )
    return directory.change_subscriber(name)


@users.command("confirm")
def confirm_user(
    name: Name,
    code: Annotated[str, typer.Argument(help="The code in the mail.")],
    as_json: Json = False,
) -> None:
    """Confirm the mailbox of a subscriber by the code that was mailed to it."""
    settings = open_settings_store()
    done = mailboxes.confirm_mailbox(name, code, settings, datetime.now(UTC))
    print_json(done) if as_json else print_text(f"{done.address} hears of messages held for {name}")


def _warn_without_contact(name: str) -> None:
    if not any(one.is_emergency for one in list_contacts(name)):
        print_error(
            f"{name} has no emergency contact: an SOS reaches only the operators;"
            f" add one with: satbridge users contacts add {name} NAME ADDRESS --emergency"
        )


@users.command("list")
def list_users(as_json: Json = False) -> None:
    """List the subscribers."""
    open_settings_store(only_reads=True)
    rows = directory.list_subscribers()
    if as_json:
        print_json(rows)
    else:
        columns = (
            *("name", "number", "active", "senders", "hears of held", "devices"),
            *("emergency contacts", "time zone", "language"),
        )
        cells = (
            (
                *(r.name, r.number, r.is_active, r.senders, r.hears_of_held, r.devices),
                *(r.emergency_contacts or "NONE", r.time_zone, r.language),
            )
            for r in rows
        )
        print_table("", columns, cells)


@users.command("change")
def change_user(
    name: Name,
    number: Number = None,
    active: Active = None,
    time_zone: Annotated[str | None, typer.Option(help=TIME_ZONE)] = None,
    language: Annotated[str | None, typer.Option(help=LANGUAGE)] = None,
    senders: Senders = None,
    mail: Mail = None,
    as_json: Json = False,
) -> None:
    """Change a subscriber; an empty number takes the number away."""
    open_settings_store()
    row = directory.change_subscriber(
        name,
        number=number,
        is_active=active,
        senders=senders.value if senders else None,
        time_zone=time_zone,
        language=language,
    )
    if mail is not None:
        row = _change_mailbox(row.name, mail)
    print_json(row) if as_json else print_text(f"changed {row.name}")


@devices.command("add")
def add_device(
    serial: Serial,
    owner: Annotated[str, typer.Option(help="The user that carries it.")],
    network: Annotated[str, typer.Option(help=NETWORKS)],
    nickname: Annotated[str, typer.Option(help="Its name among people.")] = "",
    codec: Annotated[str | None, typer.Option(help=NEW_CODEC)] = None,
    alphabet: Annotated[str, typer.Option(help=ALPHABET)] = "",
    position: Annotated[bool, typer.Option(help=POSITION)] = True,
    any_serial: AnySerial = False,
    primary: Annotated[bool, typer.Option("--primary", help=PRIMARY)] = False,
    time_zone: Annotated[str, typer.Option(help=OWN_TIME_ZONE)] = "",
    language: Annotated[str, typer.Option(help=OWN_LANGUAGE)] = "",
    as_json: Json = False,
) -> None:
    """Add a device."""
    open_settings_store()
    row = directory.add_device(
        serial,
        owner=owner,
        network=network,
        networks=satellite_names(),
        nickname=nickname,
        codec=new_codec(network) if codec is None else codec,
        alphabet=alphabet,
        adds_position=position,
        any_serial=any_serial,
        is_primary=primary,
        time_zone=time_zone,
        language=language,
    )
    _warn_of_doubt(row)
    print_json(row) if as_json else print_text(
        f"added {row.network} device {row.serial} of {row.owner}"
    )
    _warn_without_contact(row.owner)


def _warn_of_doubt(row: directory.DeviceRow) -> None:
    if doubt := serial_doubt(row.serial, row.network):
        print_error(f"{doubt}; is it mistyped? `satbridge devices change --new-serial` corrects it")


@devices.command("list")
def list_devices(owner: Owner = None, as_json: Json = False) -> None:
    """List the devices."""
    open_settings_store(only_reads=True)
    rows = directory.list_devices(owner)
    if as_json:
        print_json(rows)
    else:
        columns = (
            *("network", "serial", "nickname", "owner", "active", "codec", "alphabet"),
            *("position", "primary", "heard (UTC)", "time zone", "language"),
        )
        cells = (
            (
                *(r.network, r.serial, r.nickname, r.owner, r.is_active, r.codec),
                *(r.alphabet, r.adds_position, r.is_primary, r.heard_at),
                *(r.time_zone, r.language),
            )
            for r in rows
        )
        print_table("", columns, cells)


@devices.command("change")
def change_device(
    serial: Serial,
    network: SatelliteName = None,
    owner: Owner = None,
    nickname: Nickname = None,
    active: Active = None,
    codec: Annotated[str | None, typer.Option(help=CODEC)] = None,
    alphabet: Annotated[str | None, typer.Option(help=ALPHABET)] = None,
    position: Annotated[bool | None, typer.Option(help=POSITION)] = None,
    new_network: Annotated[str | None, typer.Option(help=f"Move it there. {NETWORKS}")] = None,
    new_serial: Annotated[str | None, typer.Option(help="Correct its number.")] = None,
    any_serial: AnySerial = False,
    primary: Annotated[bool | None, typer.Option(help=PRIMARY)] = None,
    time_zone: Annotated[str | None, typer.Option(help=OWN_TIME_ZONE)] = None,
    language: Annotated[str | None, typer.Option(help=OWN_LANGUAGE)] = None,
    as_json: Json = False,
) -> None:
    """Change a device, or switch it off."""
    open_settings_store()
    row = directory.change_device(
        serial,
        network=network,
        owner=owner,
        nickname=nickname,
        is_active=active,
        codec=codec,
        alphabet=alphabet,
        adds_position=position,
        new_network=new_network,
        new_serial=new_serial,
        any_serial=any_serial,
        is_primary=primary,
        time_zone=time_zone,
        language=language,
    )
    _warn_of_doubt(row)
    print_json(row) if as_json else print_text(f"changed {row.network} device {row.serial}")


@devices.command("positions")
def list_positions(
    serial: Annotated[str | None, typer.Argument(help="Of this device only.")] = None,
    owner: Owner = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the positions of devices, the newest first."""
    open_settings_store(only_reads=True)
    require_known((), owner, device=serial)
    rows = positions.list_positions(serial=serial, owner=owner, limit=limit)
    if as_json:
        print_json(rows)
        return
    has_claims = any(row.claimed_at for row in rows)
    columns = (*POSITION_COLUMNS, "its clock says") if has_claims else POSITION_COLUMNS
    cells = (
        (
            row.at,
            f"{row.network} {row.serial}",
            row.owner,
            row.latitude,
            row.longitude,
            row.altitude_meters,
            row.accuracy_meters,
            "low" if row.battery_low and row.battery_percent is None else row.battery_percent,
            row.sos,
            *([row.claimed_at] if has_claims else ()),
        )
        for row in rows
    )
    print_table("", columns, cells)
