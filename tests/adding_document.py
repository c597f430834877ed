"""The document about adding a network, whose examples the tests run."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


TEXT = (ROOT / "docs/adding-a-network.md").read_text()
