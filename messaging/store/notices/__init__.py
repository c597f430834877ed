"""Notices to authors: composition, text and rate."""
