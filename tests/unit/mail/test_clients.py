"""The networks of clients, their shares of bytes, and the delays of unknown recipients."""

import pytest

from messaging.config.env import read
from messaging.errors import ConfigurationError
from messaging.mail.smtp.clients import ByteBudget, Clients, client_networks, client_site
from messaging.mail.smtp.settings import SmtpSettings

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
        ("unknown", ("unknown",)),
    ],
)
def test_the_networks_of_a_client(address: str, networks: tuple[str, ...]) -> None:
    assert client_networks(address) == networks


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.0/24"),
        ("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"),
        ("unknown", ""),
    ],
)
def test_the_network_that_counts_as_one_sender(address: str, site: str) -> None:
    assert client_site(address) == site


def clients(**settings: object) -> tuple[Clients, ByteBudget]:
    smtp = SmtpSettings(**{"max_bytes_in_flight": 100 * MIB, **settings})  # type: ignore[arg-type]
    whole = ByteBudget(smtp.max_bytes_in_flight)
    return Clients(smtp, whole), whole


def taken(budgets: list[ByteBudget]) -> int:
    """Return how many of these mails of 5 MiB have room."""
    return sum(budget.take(5 * MIB) for budget in budgets)


def test_a_client_has_a_quarter_of_the_bytes_and_a_known_one_half() -> None:
    ours, whole = clients()
    budgets = [ours.budget_of("192.0.2.1") for _ in range(30)]
    assert taken(budgets) == 5
    ours.note_accepted("192.0.2.2")
    known = [ours.budget_of("192.0.2.2") for _ in range(30)]
    assert taken(known) == 10
    assert whole.used == 75 * MIB
    for budget in budgets[:5] + known[:10]:
        budget.give_back(5 * MIB)
    assert whole.used == 0
    assert taken([ours.budget_of("192.0.2.1")]) == 1


def test_strangers_leave_a_quarter_of_the_bytes_to_known_clients() -> None:
    ours, _ = clients()
    strangers = [ours.budget_of(f"192.0.2.{number}") for number in range(100)]
    assert taken(strangers) == 15
    ours.note_accepted("198.51.100.1")
    assert taken([ours.budget_of("198.51.100.1") for _ in range(30)]) == 5


def test_an_ipv6_site_has_one_share_of_the_bytes() -> None:
    ours, _ = clients()
    assert taken([ours.budget_of(f"2001:db8:1:{number:x}::1") for number in range(100)]) == 5


def test_a_client_that_peers_names_has_all_bytes() -> None:
    ours, _ = clients(peers="192.0.2.0/24")
    assert taken([ours.budget_of("192.0.2.1") for _ in range(30)]) == 20


def test_unknown_recipients_are_refused_later_and_later_then_not_at_all() -> None:
    ours, _ = clients(max_unknown_recipients=12)
    found = [ours.note_unknown_recipient("2001:db8::1") for _ in range(14)]
    assert found == [0, 0, 0, 0.25, 0.5, 1, 2, 4, 5, 5, 5, 5, None, None]
    assert ours.note_unknown_recipient("2001:db8::2") is None
    assert ours.note_unknown_recipient("192.0.2.1") == 0
    ours.note_accepted("192.0.2.2")
    known = [ours.note_unknown_recipient("192.0.2.2") for _ in range(121)]
    assert known[:30] == [0] * 30
    assert known[-2:] == [5, None]


@pytest.mark.parametrize("listen", ["0.0.0.0:7421", ":7421", "192.0.2.1:7421"])
def test_a_port_for_proxies_beyond_loopback_needs_peers(listen: str) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_SMTP_PROXY_PEERS"):
        read(SmtpSettings, proxy_listen=listen)
    assert read(SmtpSettings, proxy_listen=listen, proxy_peers="10.0.0.0/8").proxy_peers


@pytest.mark.parametrize("listen", ["127.0.0.1:7421", "localhost:7421", "[::1]:7421"])
def test_a_port_for_proxies_on_loopback_needs_none(listen: str) -> None:
    assert read(SmtpSettings, proxy_listen=listen).proxy_peers is None


@pytest.mark.parametrize("peers", ["nowhere", "10.0.0.0/33", ",", "10.0.0.1/8"])
def test_malformed_peers_are_refused(peers: str) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_SMTP_PEERS"):
        read(SmtpSettings, peers=peers)
