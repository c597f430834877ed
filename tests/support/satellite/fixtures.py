"""Fixtures that unit and integration tests of satellite providers share."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from messaging.simulator.rockblock.push import new_key


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """Return a signing key as RockBLOCK would have it."""
    return new_key()
