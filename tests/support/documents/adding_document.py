"""The document about adding a provider, with examples that the tests run."""

from tests.support.paths import ROOT

TEXT = (ROOT / "docs/adding-a-network.md").read_text()
