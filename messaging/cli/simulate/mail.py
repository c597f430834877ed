"""The simulated mail server: `simulate mail`."""

import typer

from messaging.cli.output import print_text
from messaging.cli.simulate.serve import Host, Port, port_error
from messaging.service.signals import stopping_signal
from messaging.simulator.mail.server import MailSink, ReceivedMail

app = typer.Typer()


@app.command()
def mail(host: Host = "127.0.0.1", port: Port = 7433) -> None:
    """Run a mail server that accepts everything and prints it."""
    try:
        with stopping_signal() as stop, MailSink(host, port, on_mail=print_mail) as sink:
            print_text(f"a mail server at {sink.url}")
            stop.wait()
    except OSError as error:
        raise port_error("--port", host, port, error) from None


def print_mail(mail: ReceivedMail) -> None:
    """Print the author, the recipients and the subject of a mail."""
    author, recipients = mail.message["From"] or mail.sender, ", ".join(mail.recipients)
    print_text(f"mail from {author} to {recipients}: {mail.message['Subject']}")
