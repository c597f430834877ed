"""What is wrong is said in one clear sentence, with an exit code, and never as a traceback."""

import json
import socket
from pathlib import Path

from tests.support.acceptance.running_gateway import Process


def told(folder: Path, *arguments: str, code: int, **settings: str) -> str:
    defaults = {
        "STATE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/x.sqlite3",
        "SMTP_LISTEN": "127.0.0.1:0",
        "HTTP_LISTEN": "127.0.0.1:0",
        "ADMIN_LISTEN": "off",
    }
    values = {**defaults, **settings}
    environment = {f"SATBRIDGE_{k}": v for k, v in values.items()}
    process = Process(*arguments, environment=environment)
    assert process.process.wait(60) == code, process.output
    process.stop()
    assert "Traceback" not in process.output
    return " ".join(process.output.split())


def test_a_wrong_value_names_its_variable(tmp_path: Path) -> None:
    said = told(tmp_path, "up", code=2, SMTP_LISTEN="nowhere")
    assert said == "satbridge: SATBRIDGE_SMTP_LISTEN: must look like host:port"


def test_all_wrong_values_are_named_at_once_by_each_command(tmp_path: Path) -> None:
    given = {"SMTP_LISTEN": "nowhere", "LOG_LEVEL": "loud", "MAIL_DOMAIN": "a.org,b.org"}
    said = {told(tmp_path, command, code=2, **given) for command in ("up", "check", "graph")}
    assert len(said) == 1
    assert all(f"SATBRIDGE_{name}: must" in next(iter(said)) for name in given)


def test_half_an_account_names_what_is_missing(tmp_path: Path) -> None:
    said = told(tmp_path, "up", code=2, HIVE_URL="http://127.0.0.1:1/hive", HIVE_USERNAME="x")
    assert said == "satbridge: SATBRIDGE_HIVE_PASSWORD is not set"


def test_a_lease_that_no_send_fits_into_is_refused(tmp_path: Path) -> None:
    said = told(tmp_path, "up", code=2, RELAY_URL="smtp://localhost", LEASE_SECONDS="30")
    assert said.startswith("satbridge: SATBRIDGE_LEASE_SECONDS: must be 40 or more")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = told(tmp_path, "up", code=2, SMTP_LISTEN=address)
        assert said.startswith(f"satbridge: SATBRIDGE_SMTP_LISTEN: cannot listen on {address}")


def test_check_names_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        found = json.loads(told(tmp_path, "check", "--json", code=1, HTTP_LISTEN=address))
    failed = [(row["part"], row["said"]) for row in found if row["ok"] is False]
    assert failed == [
        ("http-in", f"SATBRIDGE_HTTP_LISTEN: cannot listen on {address}: Address already in use")
    ]


def test_a_certificate_that_is_not_there_is_named_by_check_and_before_the_start(
    tmp_path: Path,
) -> None:
    files = {"SMTP_CERTIFICATE": str(tmp_path / "no.pem"), "SMTP_KEY": str(tmp_path / "no.key")}
    why = f"SATBRIDGE_SMTP_CERTIFICATE, SATBRIDGE_SMTP_KEY: No such file or directory: {tmp_path}"
    assert told(tmp_path, "up", code=2, **files).startswith(f"satbridge: {why}")
    found = json.loads(told(tmp_path, "check", "--json", code=1, **files))
    assert [row["said"].startswith(why) for row in found if row["ok"] is False] == [True]


def test_check_names_variables_that_look_like_settings_and_are_none(tmp_path: Path) -> None:
    given = {
        "TWILLIO_AUTH_TOKEN": "x",
        "HIVE_ACCOUNTS": "north",
        "HIVE_NORTH_URL": "http://127.0.0.1:1/hive",
        "HIVE_NORTH_USERNAME": "x",
        "HIVE_NORTH_PASSWORD": "x",
        "HEAD_SVC_SERVICE_HOST": "192.0.2.1",
        "HEAD_SVC_PORT_6379_TCP_ADDR": "192.0.2.1",
    }
    found = json.loads(told(tmp_path, "check", "--json", code=1, **given))
    said = [row["said"] for row in found if row["part"] == "setting"]
    unknown = "SATBRIDGE_TWILLIO_AUTH_TOKEN is no setting, and is ignored"
    assert said == [f"{unknown}; did you mean SATBRIDGE_TWILIO_AUTH_TOKEN?"]


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://satbridge:geheim@127.0.0.1:1/satbridge"
    said = told(tmp_path, "up", code=2, DATABASE_URL=url)
    assert said.startswith("satbridge: SATBRIDGE_DATABASE_URL: ")
    assert "geheim" not in said


def test_a_relay_that_nobody_runs_fails_the_check(tmp_path: Path) -> None:
    said = told(tmp_path, "check", "--json", code=1, RELAY_URL="smtp://127.0.0.1:1")
    found = {finding["part"]: finding["ok"] for finding in json.loads(said)}
    found.pop("files")  # depends on the home folder of this machine
    assert found == {
        "store": True,
        "operator": None,
        "room": True,
        "listens": True,
        "mail-in": True,
        "http-in": True,
        "mail-out": False,
        "satellite": None,
        "sms": None,
    }


def test_a_taken_port_of_the_admin_fails_the_check(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:" + str(taken.getsockname()[1])
        found = json.loads(told(tmp_path, "check", "--json", code=1, ADMIN_LISTEN=address))
    said = {finding["part"]: finding["said"] for finding in found}
    expected = f"SATBRIDGE_ADMIN_LISTEN: cannot listen on {address}: Address already in use"
    assert said["admin"] == expected


def test_unknown_entries_are_refused_in_words(tmp_path: Path) -> None:
    assert "cannot be a name" in told(tmp_path, "users", "add", "no spaces", code=2)
    assert "there is no user" in told(tmp_path, "devices", "list", "--owner=nobody", code=2)
    assert "there is no message" in told(tmp_path, "messages", "show", "abc", code=2)


def test_nothing_running_is_an_exit_code(tmp_path: Path) -> None:
    assert told(tmp_path, "status", code=1).startswith("not running")
    assert told(tmp_path, "down", code=1) == "satbridge: no gateway is running with these settings"
