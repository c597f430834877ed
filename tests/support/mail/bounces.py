"""Bounces in the form that mail servers write."""

OURS = "<0123456789abcdef0123456789abcdef.7@example.org>"


def bounce(
    action: str = "failed",
    status: str = "5.1.1",
    returned: str | None = "message/rfc822",
    named_in: str | None = None,
    recipient: str = "ann@friends.example",
    ours: str = OURS,
    more_groups: str = "",
) -> bytes:
    """Return a bounce that names our mail in the `returned` part, or in the field `named_in`."""
    header = f"{named_in}: {ours}\r\n" if named_in in ("In-Reply-To", "References") else ""
    envelope = f"Original-Envelope-Id: {ours}\r\n" if named_in == "status" else ""
    message_id = "" if named_in else f"Message-ID: {ours}\r\n"
    text = (
        "From: MAILER-DAEMON@friends.example\r\nTo: boop@example.org\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\n{header}"
        "Message-ID: <b1@friends.example>\r\nAuto-Submitted: auto-replied\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\n\r\nSorry, it could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.friends.example\r\n{envelope}\r\n{more_groups}"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1\r\n User unknown\r\n\r\n"
    )
    if returned:
        text += (
            f"--b\r\nContent-Type: {returned}\r\n\r\nFrom: boop@example.org\r\n"
            f"To: {recipient}\r\n{message_id}Subject: Hi\r\n\r\nAll well\r\n"
        )
    return text.encode() + b"--b--\r\n"
