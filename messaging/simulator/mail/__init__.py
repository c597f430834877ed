"""The simulator of a mail server."""
