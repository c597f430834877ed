"""The SMTP server: listener, connection, session, commands, limits."""
