"""The answer of Django's pages when they fail: 503 while the store is away, else 500."""

import sys

from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

from messaging.store.db.errors import StoreAway, translate
from messaging.web.front.answers import RETRY_AFTER_SECONDS

AWAY = "The store is away. Nothing is lost; please try again in a while.\n"


def answer_failure(request: HttpRequest) -> HttpResponse:
    """Answer for the exception that Django is handling."""
    # A middleware would not see every error of the store: sessions are read and written outside of the pages too.
    error = sys.exception()
    if not isinstance(error, Exception) or not isinstance(translate(error), StoreAway):
        return server_error(request)
    answer = HttpResponse(AWAY, content_type="text/plain; charset=utf-8", status=503)
    answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer
