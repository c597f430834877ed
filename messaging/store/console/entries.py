"""What the people who run the gateway get wrong when they enter something."""

from messaging.errors import ConfigurationError


class InvalidInput(ConfigurationError):
    """What was entered cannot be: a name that is taken, a number that is none, nobody of that name. One sentence."""
