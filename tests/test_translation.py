"""The translations: complete, compiled, and what pages show."""

import ast
import re
from datetime import date

import polib
import pytest
from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from gallery.models import AccessToken
from tests.gallery.test_pages import text_of

FOLDERS = {
    to_locale(code): settings.LOCALE_PATHS[0] / to_locale(code) / "LC_MESSAGES"
    for code, _name in settings.LANGUAGES
    if code != "en"
}
DOMAINS = ("django", "djangojs")
each_language = pytest.mark.parametrize("language", FOLDERS)
each_domain = pytest.mark.parametrize("domain", DOMAINS)
PLACEHOLDER = re.compile(r"%\(\w+\)(?:\.\d+)?[a-z]|%s|%%")


def key(entry) -> tuple:
    return entry.msgctxt, entry.msgid


@each_language
@each_domain
def test_every_text_is_translated_with_what_it_holds(domain, language):
    for entry in polib.pofile(FOLDERS[language] / f"{domain}.po"):
        for original, text in zip(
            [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid],
            [*entry.msgstr_plural.values()] if entry.msgid_plural else [entry.msgstr],
            strict=True,
        ):
            assert text, entry.msgid
            assert "fuzzy" not in entry.flags
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(original)), entry.msgid


@each_language
@each_domain
def test_the_compiled_file_is_of_this_translation(domain, language):
    folder = FOLDERS[language]
    written = {
        key(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(folder / f"{domain}.po")
    }
    compiled = {
        key(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(folder / f"{domain}.mo")
    }
    assert compiled == written


LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}


def texts_of_template(source: str) -> set[str]:
    """What Django's own extraction finds in a template: translate, blocktranslate and _() in arguments."""
    marked = templatize(source)
    called = re.findall(rf"\b(?:_|gettext|ngettext)\({LITERAL}(?:,\s*{LITERAL})?", marked)
    return {ast.literal_eval(text) for texts in called for text in texts if text}


def texts_of_python(source: str) -> set[str]:
    """Every constant that is passed to a function of gettext, of ngettext both."""
    texts = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            constants = [own.value for own in node.args if isinstance(own, ast.Constant)]
            texts |= {text for text in constants if isinstance(text, str)}
    return texts


def texts_of_script(source: str) -> set[str]:
    """Every text that JavaScript passes to gettext or ngettext."""
    called = re.findall(rf"\bn?gettext\({LITERAL}(?:,\s*{LITERAL})?", source)
    return {ast.literal_eval(text) for texts in called for text in texts if text}


def known(domain: str, language: str) -> set[str]:
    entries = polib.pofile(FOLDERS[language] / f"{domain}.po")
    return {text for entry in entries for text in (entry.msgid, entry.msgid_plural)}


@each_language
def test_every_text_of_templates_and_code_is_in_the_translation(language):
    used = set()
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        used |= texts_of_template(path.read_text())
    for app in ("gallery", "search", "picfusion_site"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            used |= texts_of_python(path.read_text()) if "migrations" not in path.parts else set()
    assert len(used) > 300
    assert used - known("django", language) == set()


@each_language
def test_every_text_of_scripts_is_in_the_translation(language):
    used = set().union(
        *(texts_of_script(path.read_text()) for path in (settings.BASE_DIR / "static").glob("*.js"))
    )
    assert len(used) > 8
    assert used - known("djangojs", language) == set()


def test_the_extraction_sees_every_kind_of_text():
    """What the tests above cannot see, they cannot miss."""
    template = (
        "{% load i18n %}{% translate 'one' %}{% blocktranslate with a=b %}two {{ a }}{% endblocktranslate %}"
        "{% blocktranslate count n=c %}three{% plural %}four {{ n }}{% endblocktranslate %}"
        "{{ x|default:_('five') }}"
    )
    assert texts_of_template(template) == {"one", "two %(a)s", "three", "four %(n)s", "five"}
    assert texts_of_python('_("a" "b"); ngettext("c", "d", 2)') == {"ab", "c", "d"}
    assert texts_of_script('gettext("a"); ngettext("b", "c", 2)') == {"a", "b", "c"}


def test_pages_speak_the_browsers_language_or_the_chosen_one(page, client):
    assert "Álbuns" in text_of(page.get("/", headers={"Accept-Language": "pt-BR,pt;q=0.9"}))
    assert "Alben" in text_of(page.get("/", headers={"Accept-Language": "de-AT,de;q=0.9"}))
    assert "Albums" in text_of(page.get("/"))
    page.post("/account/language", {"language": "pt-br", "next": "/"})
    answer = page.get("/?q=gato&weight_text=200")
    assert 'lang="pt-br"' in answer.content.decode()
    assert "Dê a image, text, tags e words" in text_of(answer)
    assert "selecionada" in page.get("/texts.js").content.decode()


@each_language
def test_folders_of_translations_hold_nothing_else(language):
    assert {path.name for path in FOLDERS[language].iterdir()} == {
        f"{d}.{kind}" for d in DOMAINS for kind in ("po", "mo")
    }


@pytest.mark.parametrize(("language", "may"), [("de", "Mai 2026"), ("pt-br", "Maio 2026")])
def test_may_is_a_month(language, may):
    """The word stands for what a token may do as well."""
    with translation.override(language):
        assert date_format(date(2026, 5, 3), "F Y") == may
        assert AccessToken._meta.get_field("scope").verbose_name in ("Darf", "Pode")
