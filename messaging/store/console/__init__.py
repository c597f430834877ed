"""Queries and edits for the command line, the admin and the web pages."""
