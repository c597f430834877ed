"""The web server's modes: which of them a cluster that is joined can have."""

import pytest

from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway


def test_a_cluster_that_is_joined_has_serve_only() -> None:
    assert read_gateway(ray_address="auto").settings.http == "serve"
    with pytest.raises(ConfigurationError, match="SATBRIDGE_HTTP"):
        read_gateway(ray_address="auto", http="haproxy")
