"""The folders of temporary files: that of Python, and that of Ray, which is the same unless it is set."""

import logging
import os
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

VARIABLES = ("TMPDIR", "RAY_TMPDIR")
USUAL = Path("/tmp")  # noqa: S108 (used where nothing else is set)


def temporary_folders() -> dict[str, Path]:
    """Return each folder of temporary files by the variable that names it; the usual one without a variable."""
    found = {name: Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)}
    return found if "TMPDIR" in found else {"": USUAL, **found}


def temporary_problem() -> str | None:
    """Return which folder of temporary files is missing or cannot be written; None if there is none."""
    for name, folder in temporary_folders().items():
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            place = f"{name}: {folder}" if name else str(folder)
            return f"{place} is not a folder that can be written; temporary files need one"
    return None


def replace_missing_folders() -> None:
    """Drop each variable that names a folder that cannot be used, and log it: the usual folder is used instead."""
    while (problem := temporary_problem()) and (name := problem.partition(":")[0]) in VARIABLES:
        log.error("%s; %s is used instead", problem, USUAL)
        del os.environ[name]
        tempfile.tempdir = None
