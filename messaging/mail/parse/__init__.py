"""Parses mails: from bytes to subject, text, origin and delivery report. Pure."""
