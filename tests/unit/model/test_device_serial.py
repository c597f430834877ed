"""The serials that networks know devices by."""

import pytest

from messaging.gateway import device_networks
from messaging.model.device_serial import SerialSyntax, doubt_about, read_serial

IMEI = "300234010753370"


@pytest.mark.parametrize(
    ("network", "serial"),
    [
        ("hive", "1001"),
        ("rockblock", IMEI),
        ("cloudloop", "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ"),
        ("garmin", "300434030000001"),
        ("spot", "0-8356068"),
        ("directip", "300434060000000"),
        ("sbdmail", "300434060000000"),
    ],
)
def test_each_network_takes_its_serials_and_no_others(network: str, serial: str) -> None:
    syntax = device_networks()[network].serials
    assert read_serial(f" {serial} ", syntax) == serial
    for wrong in ("abc", "", serial[:-2] + "!", serial + "O" * 64):
        with pytest.raises(ValueError, match="is no serial of this network: it has to be"):
            read_serial(wrong, syntax)


@pytest.mark.parametrize("typed", ["30023401 0753370", "300234-01-075337-0", "300 234 010 753 370"])
def test_an_imei_is_taken_as_it_is_printed(typed: str) -> None:
    assert read_serial(typed, SerialSyntax.IMEI) == IMEI


@pytest.mark.parametrize(("serial", "digits"), [(IMEI[:-1], 14), (IMEI + "0", 16)])
def test_an_imei_of_another_length_is_refused_with_its_length(serial: str, digits: int) -> None:
    with pytest.raises(ValueError, match=f"It has {digits} digits"):
        read_serial(serial, SerialSyntax.IMEI)


@pytest.mark.parametrize(
    ("serial", "syntax", "doubt"),
    [
        (IMEI, SerialSyntax.IMEI, ""),
        ("300434062929540", SerialSyntax.IMEI, ""),
        ("300434030000002", SerialSyntax.IMEI, ""),
        ("490154203237518", SerialSyntax.IMEI, "does not begin with 30"),
        ("300234010753371", SerialSyntax.IMEI, "ends neither in 0"),
        (IMEI, SerialSyntax.THING, "looks like an IMEI"),
        ("1001", SerialSyntax.NUMBER, ""),
    ],
)
def test_a_doubt_is_named(serial: str, syntax: SerialSyntax, doubt: str) -> None:
    found = doubt_about(serial, syntax)
    assert doubt in found
    assert bool(found) == bool(doubt)
