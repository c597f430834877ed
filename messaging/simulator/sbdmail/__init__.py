"""The simulator of Iridium SBD by e-mail."""
