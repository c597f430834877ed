"""Backups of the store, and their restoration."""
