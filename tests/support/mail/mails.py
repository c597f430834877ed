"""Pieces of mails, as bytes."""

MIXED = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
ALTERNATIVE = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"


def part(content_type: str, body: str | bytes, *more: str) -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    header = "".join(f"{line}\r\n" for line in (f"Content-Type: {content_type}", *more))
    return header.encode() + b"\r\n" + data + b"\r\n"


def parts(*each: bytes, boundary: bytes = b"b") -> bytes:
    inner = b"".join(b"--" + boundary + b"\r\n" + one for one in each)
    return inner + b"--" + boundary + b"--\r\n"


PLAIN = part("text/plain; charset=utf-8", "plain ✓")
HTML = part("text/html; charset=utf-8", "<p>rich <b>text</b></p>")
PICTURE = part("image/jpeg", "AAAA", "Content-Transfer-Encoding: base64")
PDF = part("application/pdf", "AAAA", 'Content-Disposition: attachment; filename="a.pdf"')
