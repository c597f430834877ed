"""Cloudloop."""
