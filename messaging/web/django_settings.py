"""The project's settings as Django's own tools expect them: a module. Reads the environment when it is imported."""

from messaging.configuration import read
from messaging.settings import Settings
from messaging.users.project import django_values

globals().update(django_values(read(Settings)))
