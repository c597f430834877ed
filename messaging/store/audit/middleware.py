"""Makes the sign-in of a request to the admin the actor of its changes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from messaging.store.audit.actor import ADMIN, Actor, acting_as


class ActorMiddleware:
    """Django middleware. Stands after the one that finds the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve a request."""

        def find() -> Actor:
            number = getattr(request.user, "pk", None)
            return Actor(ADMIN, "" if number is None else str(number))

        with acting_as(find):
            return self._get_response(request)
