"""The project's settings as Django's own tools expect them: a module. Reads the environment when it is imported."""

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.django_settings import constant_values, values_of

globals().update({**constant_values(), **values_of(read(Settings))})
