"""Tests of the users part."""
