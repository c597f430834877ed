"""The advice for machines with little memory counts the limits of the cgroup and of those around it."""

from pathlib import Path

import pytest

from messaging.config.memory import small_machine_hint


@pytest.mark.parametrize(
    ("limited", "limit", "advises"),
    [
        ("a.slice", "1073741824", True),
        ("a.slice/b.service", "536870912", True),
        ("a.slice/b.service", "max", False),
        ("c.slice", "1073741824", False),
    ],
)
def test_a_limit_of_an_own_cgroup_counts(
    tmp_path: Path, limited: str, limit: str, advises: bool
) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/a.slice/b.service\n")
    folder = tmp_path / "sys" / limited
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    hint = small_machine_hint(own, tmp_path / "sys", machine_bytes=8 * 1024**3)
    assert ("--runtime inline" in hint) == advises


def test_a_small_machine_gets_the_advice(tmp_path: Path) -> None:
    assert "1,024 MB" in small_machine_hint(tmp_path / "no", tmp_path, machine_bytes=1024**3)
