"""The examples of the document, as importable provider folders."""

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from messaging.satellite import providers
from tests.support.documents.adding_document import TEXT

EXAMPLE = re.compile(
    r"`messaging/satellite/providers/(\w+)/(\w+)\.py`:\n\n```python\n(.*?)```", re.DOTALL
)


@contextmanager
def example(name: str, folder: Path) -> Iterator[ModuleType]:
    """Write the files of an example into `folder` and yield its `account.py` as a module of the package."""
    (folder / name).mkdir()
    for provider, file, text in EXAMPLE.findall(TEXT):
        if provider == name:
            (folder / name / f"{file}.py").write_text(text)
    package = f"{providers.__name__}.{name}"
    providers.__path__.append(str(folder))
    try:
        yield importlib.import_module(f"{package}.account")
    finally:
        providers.__path__.remove(str(folder))
        for module in [one for one in sys.modules if one.startswith(package)]:
            del sys.modules[module]
