"""The settings module of the project, for Django's own tools. Reads the environment at import."""

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.django_settings import constant_values, values_of

globals().update({**constant_values(), **values_of(read(Settings))})
