"""The SMTP server: listener, connection, protocol, session, and their limits."""
