"""The clients of try-cluster.sh: sends numbered mails, and asks for the web meanwhile.

`try_load.py FIRST COUNT HOST,… HOST,…`: the hosts for mail, those for the web. Like mail servers the clients come
again when they are put off, and like a balancer they go to whichever host answers.
"""

import smtplib
import sys
import threading
import time
import urllib.error
import urllib.request
from email.message import EmailMessage

PAUSE_SECONDS = 0.3
GIVE_UP_SECONDS = 240.0


class Load:
    """Offers mails until all have a yes; knows the longest time without one, on either way in."""

    def __init__(self, mail_hosts: list[str], web_hosts: list[str]) -> None:
        self._mail_hosts = mail_hosts
        self._web_hosts = web_hosts
        self._done = threading.Event()
        self.put_off = 0
        self.refusals: set[str] = set()
        self.longest = {"mail": 0.0, "web": 0.0}

    def send(self, first: int, count: int) -> None:
        """Send mails numbered from `first`; raises TimeoutError when one gets no yes for long."""
        asking = threading.Thread(target=self._ask_for_the_web)
        asking.start()
        try:
            last = time.monotonic()
            for number in range(first, first + count):
                self._send_one(number, last + GIVE_UP_SECONDS)
                last = self._yes("mail", last)
                time.sleep(PAUSE_SECONDS)
        finally:
            self._done.set()
            asking.join()

    def _send_one(self, number: int, deadline: float) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "alice@example.net", "boop@example.org", ""
        mail["Message-ID"] = f"<try{number}@example.net>"
        mail.set_content(f"text{number:04d}.")
        while not any(self._takes(host, mail) for host in self._mail_hosts):
            self.put_off += 1
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(PAUSE_SECONDS)

    def _takes(self, host: str, mail: EmailMessage) -> bool:
        try:
            with smtplib.SMTP(host, 7420, timeout=10) as client:
                client.send_message(mail)
            return True
        except smtplib.SMTPResponseException as error:
            self.refusals.add(str(error.smtp_code))
        except smtplib.SMTPRecipientsRefused as error:
            self.refusals |= {str(code) for code, _ in error.recipients.values()}
        except (OSError, smtplib.SMTPException) as error:
            self.refusals.add(type(error).__name__)
        return False

    def _ask_for_the_web(self) -> None:
        last = time.monotonic()
        while not self._done.wait(PAUSE_SECONDS):
            if any(_is_ready(host) for host in self._web_hosts):
                last = self._yes("web", last)

    def _yes(self, what: str, last: float) -> float:
        now = time.monotonic()
        self.longest[what] = max(self.longest[what], now - last)
        return now


def _is_ready(host: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:8000/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    load = Load(sys.argv[3].split(","), sys.argv[4].split(","))
    load.send(int(sys.argv[1]), int(sys.argv[2]))
    heard = f"; heard {', '.join(sorted(load.refusals))}" if load.refusals else ""
    gaps = f"longest wait for a yes: mail {load.longest['mail']:.1f} s, web {load.longest['web']:.1f} s"
    sys.stdout.write(f"{gaps}; put off {load.put_off} times{heard}\n")
