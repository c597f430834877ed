"""STARTTLS, and the certificate that it uses."""

import shutil
import ssl
from pathlib import Path

import pytest

from messaging.config.env import read
from messaging.errors import ConfigurationError
from messaging.mail.smtp.listener import MailReceiver
from messaging.mail.smtp.settings import SmtpSettings
from tests.support.eventually import eventually
from tests.support.mail.certificates import make_certificate
from tests.support.mail.wire import DOMAIN, Router, run_server

pytestmark = pytest.mark.anyio


def trusting(path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=path)


async def test_starttls_encrypts_and_begins_anew(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        assert "STARTTLS" in await wire.hello()
        assert (await wire.say("STARTTLS")).startswith("220")
        await wire.writer.start_tls(trusting(files.certificate), server_hostname="localhost")
        assert (await wire.say("MAIL FROM:<a@b>")).startswith("503")
        assert "STARTTLS" not in await wire.hello()
        assert (await wire.send()).startswith("250")
        assert (await wire.say("STARTTLS")).startswith("503")
        assert server.receiver.status()["certificate_expires"]


async def test_a_command_sent_in_the_clear_behind_starttls_does_not_run(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        await wire.hello()
        wire.write(b"STARTTLS\r\nEHLO injected\r\nMAIL FROM:<eve@evil.example>\r\n")
        assert (await wire.read()).startswith("220")
        await wire.writer.start_tls(trusting(files.certificate), server_hostname="localhost")
        assert (await wire.say("NOOP")).startswith("250 2.0.0")
        assert (await wire.say("RCPT TO:<boop@example.org>")).startswith("503")


async def test_a_handshake_that_fails_ends_only_its_session(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    async with run_server(certificate=files.certificate, key=files.key) as server:
        wire = await server.connect()
        await wire.hello()
        await wire.say("STARTTLS")
        wire.write(b"this is no handshake\r\n" * 10)
        await eventually(lambda: not server.open())
        assert (await (await server.connect_and_greet()).send()).startswith("250")


async def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    old, new = make_certificate(tmp_path), make_certificate(tmp_path, days=60, name="new")
    async with run_server(certificate=old.certificate, key=old.key) as server:

        async def served() -> bytes:
            wire = await server.connect()
            await wire.hello()
            await wire.say("STARTTLS")
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            await wire.writer.start_tls(context)
            found = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert isinstance(found, bytes)
            return ssl.PEM_cert_to_DER_cert(ssl.DER_cert_to_PEM_cert(found))

        first = await served()
        shutil.copy(new.certificate, old.certificate)
        assert await served() == first  # the key does not fit yet: the old one stays in use
        shutil.copy(new.key, old.key)
        assert await served() == ssl.PEM_cert_to_DER_cert(new.certificate.read_text())


@pytest.mark.parametrize("content", ["", "no certificate at all"])
async def test_a_broken_certificate_is_reported(tmp_path: Path, content: str) -> None:
    files = make_certificate(tmp_path)
    files.certificate.write_text(content)
    settings = SmtpSettings(listen="127.0.0.1:0", certificate=files.certificate, key=files.key)
    with pytest.raises(ConfigurationError, match="SATBRIDGE_SMTP_CERTIFICATE"):
        await MailReceiver(settings, DOMAIN).run(Router().emit)


async def test_a_missing_certificate_is_reported(tmp_path: Path) -> None:
    settings = SmtpSettings(
        listen="127.0.0.1:0", certificate=tmp_path / "missing.pem", key=tmp_path / "missing.key"
    )
    with pytest.raises(ConfigurationError, match="No such file"):
        await MailReceiver(settings, DOMAIN).run(Router().emit)


async def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set both"):
        read(SmtpSettings, certificate=tmp_path / "mail.pem")
