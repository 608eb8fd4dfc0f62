"""What the documents say, held against the code."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from gallery.api.images import ImageSerializer
from search.api import PageSerializer, SearchSerializer
from search.query.filters import FILTERS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Read by gunicorn and make, not by the settings.
ELSEWHERE = {"HOST", "PORT", "WEB_CONCURRENCY"}


def test_every_setting_is_in_the_example_and_nothing_else():
    code = (ROOT / "picfusion_site/settings.py").read_text()
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', code))
    written = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert len(read) > 15
    assert written == read | ELSEWHERE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    assert named <= set(get_commands()), named - set(get_commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page):
    text = page.read_text()
    named = set(re.findall(r"`((?:gallery|search|picfusion_site|tests|docs|templates)/[\w/.-]+)`", text))
    named |= {f"docs/{path}" for path in re.findall(r"\]\(docs/([\w.-]+)\)", text)}
    missing = {
        path for path in named if not (ROOT / path).exists() and "NAME" not in path and "SUBJECT" not in path
    }
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_benchmark_that_is_named_exists(page):
    for name in re.findall(r"python -m (tests\.[\w.]+)", page.read_text()):
        if name.split(".")[-1].islower():
            assert (ROOT / (name.replace(".", "/") + ".py")).exists() or (
                ROOT / name.replace(".", "/")
            ).is_dir()


def test_the_grammar_names_every_filter():
    text = (ROOT / "docs/search.md").read_text()
    for filter in FILTERS:
        assert f"{filter.key}:" in text, filter.name
        assert filter.example in text, filter.name


def test_the_readme_names_every_field_of_the_api():
    text = (ROOT / "README.md").read_text()
    fields = {
        *SearchSerializer().get_fields(),
        *PageSerializer().get_fields(),
        *ImageSerializer().get_fields(),
    }
    missing = {name for name in fields if f"`{name}`" not in text}
    assert missing == set()
