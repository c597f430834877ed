"""Fixtures of the pure tests of satellite providers."""

from tests.support.satellite.fixtures import key as key
