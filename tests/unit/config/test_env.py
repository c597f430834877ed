"""Where settings are read from: the environment, files that variables name, and `.env`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from messaging.cli.unknown_settings import unknown_settings
from messaging.config.env import Section, read, read_if_set
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway
from messaging.mail.relay import Relay

DOMAIN_REASON = "must be one domain such as example.org, without a scheme and a port"
INVISIBLE = "contains a line break or another invisible character"


class Example(Section, prefix="SATBRIDGE_EXAMPLE_"):
    password: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("from a file\n")
    return tmp_path


@pytest.mark.parametrize("line", ["PASSWORD_FILE=secret", "PASSWORD='from a file'"])
def test_a_line_of_the_env_file_may_hold_a_value_or_name_its_file(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"SATBRIDGE_EXAMPLE_{line}\n")
    assert read(Example).password == "from a file"


def test_the_environment_wins_over_a_file_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("SATBRIDGE_EXAMPLE_PASSWORD_FILE=secret\n")
    monkeypatch.setenv("SATBRIDGE_EXAMPLE_PASSWORD", "from the environment")
    assert read(Example).password == "from the environment"


def test_a_named_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / ".env").write_text("SATBRIDGE_EXAMPLE_PASSWORD_FILE=nowhere\n")
    with pytest.raises(ConfigurationError, match="PASSWORD_FILE: cannot read nowhere: No such"):
        read(Example)


def test_a_slip_of_the_pen_in_the_env_file_is_noticed(folder: Path) -> None:
    (folder / ".env").write_text("SATBRIDGE_RELAY_ULR=x\nSATBRIDGE_RELAY_URL_FILE=x\nPATH=x\n")
    assert unknown_settings() == [
        "SATBRIDGE_RELAY_ULR is no setting, and is ignored; did you mean SATBRIDGE_RELAY_URL?"
    ]


def give(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"SATBRIDGE_{name}", value)


def problems_of(reader: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        reader()
    return caught.value.problems


@pytest.mark.parametrize("around", ["{} ", " {}\t", "{}\r", "\ufeff{}", "{}\u200b", "\u00a0{}\n"])
def test_space_around_a_value_does_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    give(monkeypatch, PUBLIC_URL=around.format("https://gateway.example.org"))
    assert read(Settings).public_url == "https://gateway.example.org"
    (folder / "secret").write_text(around.format("of a file"))
    give(monkeypatch, EXAMPLE_PASSWORD_FILE="secret ")
    assert read(Example).password == "of a file"


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_empty_means_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    give(monkeypatch, ROUTERS=empty, RELAY_URL=empty, MIGRATE=empty, LOG_LEVEL=empty)
    settings = read(Settings)
    assert (settings.routers, settings.migrate, settings.log_level) == (None, True, "INFO")
    assert read_if_set(Relay) is None
    (folder / ".env").write_text("SATBRIDGE_EXAMPLE_PASSWORD=from the env file\n")
    give(monkeypatch, EXAMPLE_PASSWORD=empty, EXAMPLE_PASSWORD_FILE=empty)
    assert read(Example).password == "from the env file"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ROUTERS", "two", "must be a whole number"),
        ("ROUTERS", "0", "must be more than 0"),
        ("LEASE_SECONDS", "long", "must be a number"),
        ("LEASE_SECONDS", "inf", "must be a number"),
        ("LEASE_SECONDS", "nan", "must be a number"),
        ("LEASE_SECONDS", "1e300", "must be 100000000 or less"),
        ("MAIL_LIFETIME_HOURS", "1e9", "must be 100000 or less"),
        ("MIGRATE", "perhaps", "must be true or false"),
        ("LOG_LEVEL", "loud", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("LOG_FORMAT", "xml", "must be text or json"),
        ("METRICS_TOKEN", "short", "must have 16 or more characters"),
        ("STORE_MAX_TEXT_BYTES", "1", "must be 1024 or more"),
        ("PUBLIC_URL", "gateway.example.org", "must look like https://gateway.example.org"),
        ("PUBLIC_URL", "https://x.example.org?a=b", "must look like https://gateway.example.org"),
        ("PUBLIC_URL", "https://[", "must look like https://gateway.example.org"),
        ("MAIL_DOMAIN", "https://example.org", DOMAIN_REASON),
        ("MAIL_DOMAIN", "a.org,b.org", DOMAIN_REASON),
        ("MAIL_DOMAIN", "example.org:25", DOMAIN_REASON),
        ("MAIL_DOMAIN", "me@example.org", DOMAIN_REASON),
        ("MAIL_DOMAIN", "example..org", DOMAIN_REASON),
        ("MAIL_DOMAIN", "exa\nmple.org", INVISIBLE),
        ("STATE_DIR", "va\x1br", INVISIBLE),
        ("MAIL_DOMAIN", "b\udcfccher.example", "is not in UTF-8"),
    ],
)
def test_a_wrong_value_is_one_sentence_in_plain_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    give(monkeypatch, **{name: value})
    assert problems_of(lambda: read(Settings)) == (f"SATBRIDGE_{name}: {reason}",)


@pytest.mark.parametrize("level", ["debug", " Info ", "WARNING"])
def test_levels_are_taken_in_any_case(
    folder: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    give(monkeypatch, LOG_LEVEL=level)
    assert read(Settings).log_level == level.strip().upper()


def test_all_wrong_variables_of_all_parts_are_named_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, ROUTERS="two", SMTP_LISTEN="nowhere", RELAY_URL="x", METRICS_TOKEN_FILE="no")
    give(monkeypatch, TWILIO_ACCOUNT_SID="AC\u2026", TWILIO_AUTH_TOKEN="x", HIVE_URL="http://x")
    variables = [one.partition(":")[0].partition(" ")[0] for one in problems_of(read_gateway)]
    assert sorted(variables) == [
        "SATBRIDGE_HIVE_PASSWORD",
        "SATBRIDGE_HIVE_USERNAME",
        "SATBRIDGE_METRICS_TOKEN_FILE",
        "SATBRIDGE_RELAY_URL",
        "SATBRIDGE_ROUTERS",
        "SATBRIDGE_SMTP_LISTEN",
        "SATBRIDGE_TWILIO_ACCOUNT_SID",
    ]


def test_a_wrong_value_of_a_part_that_is_off_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, RELAY_TIMEOUT_SECONDS="long")
    assert problems_of(read_gateway) == ("SATBRIDGE_RELAY_TIMEOUT_SECONDS: must be a number",)


@pytest.mark.parametrize(
    "content",
    [
        b"SATBRIDGE_EXAMPLE_PASSWORD=p\r\nOTHER=x\r\n",
        b"\xef\xbb\xbfSATBRIDGE_EXAMPLE_PASSWORD=p\n",
        b"export SATBRIDGE_EXAMPLE_PASSWORD='p '\n",
        b"satbridge_example_password=p",
        b"this is no line of ours '\nSATBRIDGE_EXAMPLE_PASSWORD=p",
    ],
)
def test_env_files_of_other_editors_are_read(folder: Path, content: bytes) -> None:
    (folder / ".env").write_bytes(content)
    assert read(Example).password == "p"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"A=b\nSATBRIDGE_MAIL_DOMAIN=b\xfccher.example",
            "SATBRIDGE_MAIL_DOMAIN: line 2 of {place} is not in UTF-8",
        ),
        (
            "SATBRIDGE_MAIL_DOMAIN=example.org".encode("utf-16"),
            "{place} is in UTF-16; save it in UTF-8",
        ),
        (b"SATBRIDGE_MAIL_DOMAIN=exam\0ple.org", f"SATBRIDGE_MAIL_DOMAIN: {INVISIBLE}"),
        (
            b"SATBRIDGE_MAIL_DOMAIN='example.org\n",
            "SATBRIDGE_MAIL_DOMAIN: line 1 of {place} cannot be read; is a quotation mark missing?",
        ),
    ],
)
def test_an_env_file_that_cannot_be_read_is_named(
    folder: Path, content: bytes, problem: str
) -> None:
    (folder / ".env").write_bytes(content)
    found = problems_of(lambda: read(Settings))
    assert found == (problem.format(place=(folder / ".env").absolute()),)


def test_a_folder_named_env_is_no_env_file(folder: Path) -> None:
    (folder / ".env").mkdir()
    assert read(Settings).mail_domain == "localhost"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere", "cannot read nowhere: No such file or directory"),
        (".", "cannot read .: Is a directory"),
        ("latin", "latin is not in UTF-8"),
        ("endless", "endless is longer than 65536 bytes"),
    ],
)
def test_a_named_file_that_cannot_be_read_is_named_with_its_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    (folder / "latin").write_bytes(b"geh\xe4im")
    (folder / "endless").write_bytes(b"x" * 70_000)
    give(monkeypatch, EXAMPLE_PASSWORD_FILE=path)
    problems = problems_of(lambda: read(Example))
    assert problems == (f"SATBRIDGE_EXAMPLE_PASSWORD_FILE: {reason}",)


def test_a_key_may_have_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"
    give(monkeypatch, EXAMPLE_PASSWORD=key)
    assert read(Example).password == key
