"""A plugin for pytest: nbval compares outputs and forgets them; this writes them, at the end, into the notebook."""

from typing import Any

import nbformat
import pytest


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Put what a cell gave into the notebook that nbval has read."""
    if call.when == "call" and getattr(item, "test_outputs", None) is not None:
        item.cell.outputs = item.test_outputs
        item.cell.execution_count = 1 + item.parent.nb.cells.index(item.cell)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write each notebook over itself."""
    files: list[Any] = list({item.parent for item in session.items})
    for file in files:
        nbformat.write(file.nb, file.path)
