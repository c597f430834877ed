"""Tests of messaging/logs."""
