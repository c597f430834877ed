"""One gateway with an account at every provider, for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.acceptance.all_networks import AllNetworks, all_networks


@pytest.fixture(scope="package")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AllNetworks]:
    with all_networks(tmp_path_factory.mktemp("networks")) as networks:
        yield networks
