"""Iridium SBD by e-mail."""
