"""The admin pages: staff log in, find messages, read them, and try deliveries again; nobody else sees anything."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import Client, override_settings

from messaging.config.settings import Settings
from messaging.errors import Rejected
from messaging.model.message import message_id
from messaging.store.accept.routing import Policy
from messaging.store.db.connection import close_connection
from messaging.store.models import Budget, Delivery, Device, Message, Subscriber
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.fill_queue import fill_queue
from tests.support.store.records import Gateway

SECRET_TEXT = "meet me at the lighthouse"
PAGES = (
    *("users/subscriber", "users/device", "users/message", "users/delivery", "users/optout"),
    *("users/budget", "users/tariff"),
)


@pytest.fixture
def story(gateway: Gateway) -> Gateway:
    gateway.settle(gateway.take_one(g.mail("one", text=SECRET_TEXT)), Rejected("no such device"))
    return gateway


@pytest.fixture
def staff(story: Gateway) -> Client:
    client = browser()
    client.force_login(account("admin", is_staff=True, is_superuser=True))
    return client


def account(name: str, **rights: bool) -> User:
    """An account that nobody can log in to with a password: hashing one takes half a second."""
    user = User(username=name, **rights)
    user.set_unusable_password()
    user.save()
    return user


def test_staff_log_in_with_a_password(sqlite_gateway: Gateway) -> None:
    User.objects.create_superuser("admin", password="correct horse")
    form = {"username": "admin", "password": "correct horse"}
    answer = browser().post("/admin/login/?next=/admin/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def body(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_strangers_are_sent_to_the_login(story: Gateway) -> None:
    for page in (*PAGES, f"users/message/{message_id('one')}/change"):
        answer = browser().get(f"/admin/{page}/")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_an_account_that_is_not_staff_sees_nothing(story: Gateway) -> None:
    client = browser()
    client.force_login(account("guest"))
    assert client.get(f"/admin/users/message/{message_id('one')}/change/").status_code == 302


def test_every_list_opens(staff: Client) -> None:
    for page in PAGES:
        body(staff, f"/admin/{page}/")


def test_a_budget_is_added_and_shown_with_its_figures(staff: Client) -> None:
    form = {
        **{"scope": "subscriber", "subscriber": Subscriber.objects.get().pk, "account": ""},
        **{"max_amount": "20", "currency": "eur", "period": "month", "reserve_percent": "0"},
        **{"periods-TOTAL_FORMS": "0", "periods-INITIAL_FORMS": "0"},
    }
    answer = staff.post("/admin/users/budget/add/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/users/budget/")
    budget = Budget.objects.get()
    budget.periods.create(starts_at=datetime(2026, 1, 1, tzinfo=UTC), spent=1_500_000)
    assert "20 EUR" in body(staff, "/admin/users/budget/")
    assert "1.5" in body(staff, f"/admin/users/budget/{budget.pk}/change/")


SEARCHES = (
    ("users/message/?q=friend@example.com", True),
    ("users/message/?q=boop", True),
    ("users/message/?q=nothing", False),
    ("users/message/?deliveries__state=failed", True),
    ("users/message/?deliveries__state=sent", False),
    ("users/delivery/?q=1001", True),
    ("users/delivery/?state__exact=waiting", False),
    ("users/delivery/?uncertain=yes", False),
    ("users/delivery/?uncertain=no", True),
    ("users/message/?q=LIGHTHOUSE", True),
    ("users/message/?q=friend@ lighthouse", True),
    ("users/message/?q='the lighthouse'", True),
    ("users/message/?q='lighthouse the'", False),
    (f"users/message/?q={message_id('one')[:6]}", True),
    (f"users/message/?q={message_id('two')[:6]}", False),
    (f"users/delivery/?q={message_id('one')[:6]}", True),
    ("users/message/?subscriber=boop", True),
    ("users/message/?subscriber=nobody", False),
    ("users/message/?subscriber=boop&q=lighthouse&deliveries__state=failed", True),
    ("users/delivery/?subscriber=boop", True),
    ("users/delivery/?subscriber=nobody", False),
)


def test_history_is_searched_and_filtered(staff: Client) -> None:
    for path, found in SEARCHES:
        assert (message_id("one")[:8] in body(staff, f"/admin/{path}")) is found, path


def test_a_message_shows_its_text_and_its_deliveries_but_cannot_be_changed(staff: Client) -> None:
    page = body(staff, f"/admin/users/message/{message_id('one')}/change/")
    assert SECRET_TEXT in page
    assert "no such device" in page
    assert f"/admin/users/delivery/{Delivery.objects.get().id}/change/" in page
    assert 'name="_save"' not in page
    assert SECRET_TEXT not in body(staff, "/admin/users/message/")
    assert staff.get("/admin/users/message/add/").status_code == 403
    assert staff.post("/admin/users/delivery/add/").status_code == 403


def act(client: Client, action: str) -> str:
    chosen = {"action": action, "_selected_action": [Delivery.objects.get().id]}
    answer = client.post("/admin/users/delivery/?q=1001", chosen, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def act_on_messages(client: Client, action: str, recipient: str = "") -> str:
    chosen = {
        "action": action,
        "recipient": recipient,
        "_selected_action": list(Message.objects.values_list("id", flat=True)),
    }
    return client.post("/admin/users/message/", chosen, follow=True).content.decode()


def test_a_dead_letter_is_read_and_sent_on_once(
    sqlite_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = browser()
    client.force_login(account("ann", is_staff=True, is_superuser=True))
    sqlite_gateway.router.process([g.stranded(raw=b"hello \xff")])
    assert message_id("broken")[:8] in body(client, "/admin/users/message/?undeliverable=yes")
    assert message_id("broken")[:8] not in body(client, "/admin/users/message/?undeliverable=no")
    assert "hello \\xff" in body(client, f"/admin/users/message/{message_id('broken')}/change/")
    assert "use satbridge messages deliver" in act_on_messages(client, "deliver", "boop")
    policy = Policy("example.org", g.VIAS)
    with override_settings(SATBRIDGE_POLICY=policy):
        assert "Enter the recipient." in act_on_messages(client, "deliver")
        assert "neither a mailbox" in act_on_messages(client, "deliver", "nowhere")
        assert "0 due now, 1 unchanged." in act_on_messages(client, "retry")
        assert "1 sent on, 0 had been" in act_on_messages(client, "deliver", "mum@example.net")
        assert "0 sent on, 1 had been" in act_on_messages(client, "deliver", "mum@example.net")
    assert Delivery.objects.get().recipient == "mum@example.net"
    [line] = [one for one in caplog.records if one.name == "messaging.store.audit.log_line"]
    assert line.fields["actor"] == f"admin:{User.objects.get().pk}"  # type: ignore[attr-defined]


def test_a_failed_delivery_is_tried_again_and_called_off(staff: Client) -> None:
    assert "1 due now, 0 unchanged." in act(staff, "retry")
    assert Delivery.objects.get().state == State.WAITING
    assert "1 cancelled." in act(staff, "cancel")
    assert Delivery.objects.get().state == State.CANCELLED


def test_all_that_a_filter_finds_are_tried_again_and_called_off_together(
    sqlite_gateway: Gateway,
) -> None:
    sqlite_gateway.take_one(g.mail("one"))
    fill_queue(10, sqlite_gateway.clock)
    Delivery.objects.update(state=State.FAILED, due_at=None, parts_sent=1)
    lost = Delivery.objects.order_by("id")[3]
    lost.parts.create(via="hive", network_id="7", state="failed", updated_at=lost.created_at)
    client = browser()
    client.force_login(account("admin", is_staff=True, is_superuser=True))
    with few_variables():
        failed = "/admin/users/delivery/?q=1001&state__exact=failed"
        assert "1024 due now, 0 unchanged." in act_on_all(client, failed, "retry")
        waiting = "/admin/users/delivery/?uncertain=no"
        assert "1024 cancelled." in act_on_all(client, waiting, "cancel")
    assert set(Delivery.objects.filter(parts_sent=0)) == {lost}
    assert not lost.parts.exists()


@contextmanager
def few_variables() -> Iterator[None]:
    """Let a statement have no more of them than rows are chosen: 32,766 is what SQLite has where nobody changed it."""
    limit = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(limit, 500)
    try:
        yield
    finally:
        connection.connection.setlimit(limit, before)


def act_on_all(client: Client, page: str, action: str) -> str:
    chosen = {
        "action": action,
        "select_across": "1",
        "_selected_action": [Delivery.objects.order_by().values_list("id", flat=True)[0]],
    }
    return client.post(page, chosen, follow=True).content.decode()


def test_staff_who_may_only_look_get_no_actions(story: Gateway) -> None:
    reader = account("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client = browser()
    client.force_login(reader)
    assert "1001" in body(client, "/admin/users/delivery/")
    act(client, "retry")
    assert Delivery.objects.get().state == State.FAILED


def test_a_subscriber_is_entered_with_a_device_and_a_contact(staff: Client) -> None:
    form = {
        "name": "Ann",
        "number": "",
        "is_active": "on",
        "senders": "known",
        "devices-TOTAL_FORMS": "1",
        "devices-INITIAL_FORMS": "0",
        "devices-0-network": "hive",
        "devices-0-serial": "2001",
        "devices-0-is_active": "on",
        "devices-0-codec": "text",
        "contacts-TOTAL_FORMS": "1",
        "contacts-INITIAL_FORMS": "0",
        "contacts-0-name": "Mum",
        "contacts-0-address": "+1 555 000 2222",
        "contacts-0-is_emergency": "on",
        "contacts-0-may_write": "always",
    }
    assert staff.post("/admin/users/subscriber/add/", form).status_code == 302
    ann = Subscriber.objects.get(name="ANN")
    assert (ann.name, ann.number) == ("ann", None)
    device, mum = ann.devices.get(), ann.contacts.get()
    assert (device.serial, device.codec, device.adds_position) == ("2001", "text", False)
    assert (mum.name, mum.address, mum.is_emergency) == ("mum", "+15550002222", True)
    page = staff.post("/admin/users/subscriber/add/", {**form, "name": "aNN"}).content.decode()
    assert "This name is taken." in page
    wrong = {**form, "name": "bob", "contacts-0-address": "12345", "devices-0-codec": "morse"}
    page = staff.post("/admin/users/subscriber/add/", wrong).content.decode()
    assert "A mailbox such as alice@example.org, or a number such as +15551230000." in page
    assert "morse is not one of the available choices" in page


def device_form(serial: str, network: str, **more: str) -> dict[str, str]:
    owner = str(Subscriber.objects.get(name="boop").pk)
    fields = {"serial": serial, "network": network, "owner": owner, "is_active": "on"}
    return {**fields, "nickname": "", "codec": "", **more}


def test_a_device_is_checked_as_by_the_command_line(staff: Client) -> None:
    page = "/admin/users/device/add/"
    refused = staff.post(page, device_form("abc", "rockblock")).content.decode()
    assert "is no serial of this network: it has to be an IMEI of 15 digits" in refused
    assert staff.post(page, device_form("30023401 0753370", "rockblock")).status_code == 302
    assert staff.post(page, device_form("abc", "rockblock", any_serial="on")).status_code == 302
    rows = Device.objects.filter(network="rockblock").order_by("serial")
    assert list(rows.values_list("serial", "codec")) == [
        ("300234010753370", "text"),
        ("abc", "text"),
    ]


def test_the_network_of_a_device_is_a_choice(staff: Client) -> None:
    refused = staff.post("/admin/users/device/add/", device_form("1", "rockblok")).content.decode()
    assert "rockblok is not one of the available choices" in refused
    old = Device.objects.get(serial="1001")
    Device.objects.filter(pk=old.pk).update(network="rockblok")
    page = f"/admin/users/device/{old.pk}/change/"
    assert '<option value="rockblok" selected>' in staff.get(page).content.decode()
    form = device_form("1001", "rockblok", nickname="boat")
    assert staff.post(page, form).status_code == 302
    assert staff.post(page, {**form, "network": "hive"}).status_code == 302
    old.refresh_from_db()
    assert (old.network, old.nickname) == ("hive", "boat")


def test_the_style_sheets_come_along(sqlite_settings: Settings) -> None:
    client = browser()
    found = client.get("/static/admin/css/base.css")
    assert (found.status_code, found["Content-Type"]) == (200, "text/css")
    assert client.get("/static/admin/css/none.css").status_code == 404
    assert client.get("/static/../settings.py").status_code in (400, 404)
    assert client.get("/")["Location"] == "/admin/"


def test_another_host_name_is_refused(sqlite_settings: Settings) -> None:
    assert Client().get("/admin/login/", headers={"host": "evil.example"}).status_code == 400


def test_the_pages_work_over_asgi_with_a_real_form(sqlite_gateway: Gateway) -> None:
    User.objects.create_superuser("admin", password="correct horse")
    close_connection()
    assert asyncio.run(_log_in_and_list()) == 200


async def _log_in_and_list() -> int:
    application: Any = get_asgi_application()
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost:8000", follow_redirects=True
    ) as client:
        await client.get("/admin/login/")
        form = {"username": "admin", "password": "correct horse", "next": "/admin/users/delivery/"}
        form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
        headers = {"Origin": "http://localhost:8000"}
        answer = await client.post("/admin/login/", data=form, headers=headers)
        assert answer.url.path == "/admin/users/delivery/"
        return (await client.get("/static/admin/css/base.css")).status_code
