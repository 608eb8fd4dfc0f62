"""The site and the browser that the tests here share."""

import pytest

from tests.browser.running import CHROMIUM, chromium_path, running


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The real site; at its end there was no traceback in its log."""
    var = tmp_path_factory.mktemp("site")
    with running(var) as site:
        yield site
    output = (var / "honcho.log").read_text()
    assert "SIGKILL" not in output, output
    assert "Traceback" not in output, output


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if not path:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()
