"""What the tests of the networks are given."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from messaging.simulator.rockblock_push import new_key


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return new_key()
