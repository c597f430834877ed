"""Serves the style sheets and scripts of Django's apps, so that the admin needs no second server."""

import mimetypes
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

KEEP_SECONDS = 3600


@require_safe
def static_file(request: HttpRequest, path: str) -> HttpResponse:
    """Answer with a static file of an installed app, or 404."""
    found = finders.find(path)
    if not isinstance(found, str) or not Path(found).is_file():
        raise Http404
    kind = mimetypes.guess_type(found)[0] or "application/octet-stream"
    # Read whole: the files are small, and a streamed answer would be synchronous iteration under ASGI.
    answer = HttpResponse(Path(found).read_bytes(), content_type=kind)
    answer["Cache-Control"] = f"max-age={KEEP_SECONDS}"
    return answer
