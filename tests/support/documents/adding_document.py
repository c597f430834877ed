"""The document about adding a network, whose examples the tests run."""

from tests.support.paths import ROOT

TEXT = (ROOT / "docs/adding-a-network.md").read_text()
