"""The web server's modes and the runtimes: which of them go together."""

import pytest

from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway


def test_a_cluster_that_is_joined_has_serve_only() -> None:
    assert read_gateway(ray_address="auto").settings.http == "serve"
    for mode in ("haproxy", "direct"):
        with pytest.raises(ConfigurationError, match="SATBRIDGE_HTTP"):
            read_gateway(ray_address="auto", http=mode)


def test_one_process_without_ray_has_neither_a_cluster_nor_haproxy() -> None:
    assert read_gateway(runtime="inline", http="direct").settings.runtime == "inline"
    with pytest.raises(ConfigurationError, match="SATBRIDGE_RUNTIME"):
        read_gateway(runtime="inline", ray_address="auto")
    with pytest.raises(ConfigurationError, match="SATBRIDGE_HTTP"):
        read_gateway(runtime="inline", http="haproxy")
