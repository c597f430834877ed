"""The project's settings as Django's own tools expect them: a module. Reads the environment when it is imported."""

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.django_settings import django_values

globals().update(django_values(read(Settings)))
