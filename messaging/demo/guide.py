"""The instructions of the demo, ready to copy and paste."""

import shlex
import sys
from pathlib import Path

from messaging.demo.networks import ALICE, DEVICE, MAIL_SERVER, NUMBER, STRANGER, Networks
from messaging.service.state_file import RunningService


def satbridge() -> str:
    """Return the command line that runs `satbridge` from here."""
    script = Path(sys.argv[0])
    if script.name != "satbridge":
        return f"{shlex.quote(sys.executable)} -m messaging"
    try:
        return shlex.quote(str(script.resolve().relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(script))


def mail_command(host: str, port: str, author: str, text: str) -> str:
    """Return one line that sends a mail with nothing but Python, as the mail server in front hands it over."""
    domain = author.rpartition("@")[2]
    mail = (
        rf"From: {author}\nTo: boop@localhost\nAuthentication-Results: {MAIL_SERVER};"
        rf" dmarc=pass header.from={domain}\nSubject: Hello\n\n{text}"
    )
    code = (
        f"import smtplib; smtplib.SMTP('{host}', {port})"
        f".sendmail('{author}', 'boop@localhost', '{mail}')"
    )
    return f'python3 -c "{code}"'


def guide(running: RunningService, networks: Networks, folder: Path, admin: tuple[str, str]) -> str:
    """Return the first text of the demo."""
    host, _, port = running.mail[0].rpartition(":")
    command = satbridge()
    environment = (
        f"SATBRIDGE_STATE_DIR={folder} SATBRIDGE_DATABASE_URL=sqlite:///{folder}/satbridge.sqlite3"
    )
    user, password = admin
    return f"""
Satbridge runs. boop@localhost carries device {DEVICE} and has the number {NUMBER}.
Everything outside is simulated on this machine; nothing leaves it. In another terminal, try:

  a mail of Alice, who is a contact of boop, to the device
    {mail_command(host, port, ALICE, "See you at the lighthouse.")}
  a mail of a stranger, which is held at no cost until you release it
    {mail_command(host, port, STRANGER, "You do not know me yet.")}
    {environment} {command} messages release --from {STRANGER} --yes
  from the device to a mailbox, and to a phone
    {command} simulate uplink {ALICE} "We are fine" --hive {networks.hive}
    {command} simulate uplink +15551230000 "Back on Friday" --hive {networks.hive}
  a text from that phone, which boop knows since, to the device
    {command} simulate text "Bring fish" --to {NUMBER} --twilio {networks.twilio}
  the history of everything
    {environment} {command} messages list
    {running.admin}   user {user}, password {password}

Ctrl-C ends everything. What moves:
"""
