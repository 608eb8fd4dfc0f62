"""The Portuguese translation: complete, compiled, and what pages show."""

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings

from tests.gallery.test_pages import text_of

FOLDER = settings.LOCALE_PATHS[0] / "pt" / "LC_MESSAGES"
DOMAINS = ("django", "djangojs")
PLACEHOLDER = re.compile(r"%\(\w+\)[\w.]+|%s|%%")


def key(entry) -> tuple:
    return entry.msgctxt, entry.msgid


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_is_translated_with_what_it_holds(domain):
    for entry in polib.pofile(FOLDER / f"{domain}.po"):
        for original, text in zip(
            [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid],
            [*entry.msgstr_plural.values()] if entry.msgid_plural else [entry.msgstr],
            strict=True,
        ):
            assert text, entry.msgid
            assert "fuzzy" not in entry.flags
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(original)), entry.msgid


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_compiled_file_is_of_this_translation(domain):
    written = {
        key(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(FOLDER / f"{domain}.po")
    }
    compiled = {
        key(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(FOLDER / f"{domain}.mo")
    }
    assert compiled == written


def test_every_text_of_templates_and_code_is_in_the_translation():
    known = {entry.msgid for entry in polib.pofile(FOLDER / "django.po")}
    used = set()
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        used |= {text for _, text in re.findall(r"""{% translate (["'])(.+?)\1""", path.read_text())}
    for app in ("gallery", "search", "picfusion_site"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            used |= set(re.findall(r'\b_\(\s*"((?:[^"\\]|\\.)+)"\s*,?\s*\)', path.read_text()))
    assert len(used) > 200
    assert used - known == set()


def test_pages_speak_the_browsers_language_or_the_chosen_one(page, client):
    assert "Álbuns" in text_of(page.get("/", headers={"Accept-Language": "pt-BR,pt;q=0.9"}))
    assert "Albums" in text_of(page.get("/"))
    page.post("/account/language", {"language": "pt", "next": "/"})
    answer = page.get("/?q=gato&weight_text=200")
    assert 'lang="pt"' in answer.content.decode()
    assert "deve dar a image, text e tags" in text_of(answer)
    assert "escolhida" in page.get("/texts.js").content.decode()


def test_folders_of_translations_hold_nothing_else():
    assert {path.name for path in Path(FOLDER).iterdir()} == {
        f"{d}.{kind}" for d in DOMAINS for kind in ("po", "mo")
    }
