"""The examples of the document, as the tests run them."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tests.support.documents.adding_document import TEXT

EXAMPLE = re.compile(
    r"`messaging/satellite/providers/(\w+)\.py`:\n\n```python\n(.*?)```", re.DOTALL
)


@contextmanager
def example(name: str, folder: Path) -> Iterator[ModuleType]:
    """An example of the document, as a module."""
    path = folder / f"{name}.py"
    path.write_text(dict(EXAMPLE.findall(TEXT))[name])
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]
