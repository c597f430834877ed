"""A page without style and script, and the headers that keep its link secret."""

from typing import Final

from starlette.responses import HTMLResponse

NOT_VALID: Final = "This link is not valid, or its time is over."
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def plain_page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a page; `body` is HTML, with texts of people escaped."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
    )
    return HTMLResponse(page, status, headers=HEADERS)


def not_valid() -> HTMLResponse:
    """Return the page for a link that is not valid."""
    return plain_page("Not found", f"<p>{NOT_VALID}</p>", 404)
