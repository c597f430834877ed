"""Notices to authors: which are due, their text and their rate."""
