"""The storeys of the house: imports go downwards only, and the lower ones do without Django."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def offenders(folder: str, forbidden: str) -> list[str]:
    """The imports, as 'file: module', of modules whose name matches the expression."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in sorted(imports_of(path))
        if re.match(forbidden, name)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("gallery", r"search\b|picfusion_site\b"),
        ("search", r"picfusion_site\b"),
        ("gallery/imaging", r"(django|rest_framework|sorl)\b|gallery\.(?!imaging\b)"),
        ("search/index", r"(django|rest_framework)\b|search\.(?!index\b)|gallery\.(?!imaging\b)"),
        ("gallery/extraction", r"gallery\.(?!extraction\b|imaging\b)"),
        ("gallery/files", r"gallery\.(views|api|admin|forms)\b"),
        ("gallery/api", r"gallery\.(views|forms|admin)\b"),
        ("gallery/models", r"gallery\.(?!models\b|imaging\b)"),
        ("picfusion_site", r"tests\b"),
        ("gallery", r"tests\b"),
        ("search", r"tests\b"),
    ],
)
def test_imports_go_downwards(folder, forbidden):
    assert offenders(folder, forbidden) == []


def test_templates_of_the_gallery_need_no_search():
    for path in (ROOT / "templates/gallery").glob("*.html"):
        assert not re.search(r"{% load [^%]*\bsearch\b", path.read_text()), path.name


def test_the_lower_storeys_run_without_django():
    code = "import sys; import gallery.imaging.pixels, search.index.fusion; print('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_checks_import_no_model_library():
    code = (
        "import sys; from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'check']);"
        "print([name for name in ('torch', 'transformers', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
