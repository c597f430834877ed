"""The users of the admin: Django's own."""

from django.contrib.auth.models import User
from django.db import transaction

from messaging.store.db.connection import guard


@guard
@transaction.atomic
def set_staff_password(name: str, password: str) -> None:
    """Make `name` a superuser of the admin with this password, new or not. Raises Unavailable."""
    user, _ = User.objects.get_or_create(username=name)
    user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()
