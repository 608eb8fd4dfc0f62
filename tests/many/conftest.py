from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    """Everything in this folder is of many machines."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.many)
