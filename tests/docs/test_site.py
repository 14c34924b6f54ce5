"""The built site: all public names are in it, and it works in a browser, wide and narrow."""

import fcntl
import functools
import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .blocks import ROOT
from .browser import CHROMIUM, DRIVER, WIDTHS, Browser, browsing

pytestmark = pytest.mark.slow

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are not installed"
)
WIDTH = pytest.mark.parametrize("width", list(WIDTHS))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the site strictly, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    site = (base if worker_id == "master" else base.parent) / "site"
    with site.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", site]
            built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            assert 0 == built.returncode, built.stderr
    return site


class _Ids(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.update(value for name, value in attrs if name == "id" and value)


@pytest.mark.parametrize(
    "module",
    [
        "homebox_async",
        "homebox_async.importer",
        "homebox_async.emulator",
        "homebox_async.testing",
        "homebox_async.export",
    ],
)
def test_public_names(site: Path, module: str) -> None:
    """Every public name has its place in the reference."""
    anchors: set[str] = set()
    for page in (site / "reference").rglob("*.html"):
        anchors |= _Ids(page).ids
    names = importlib.import_module(module).__all__

    assert [] == [name for name in names if f"{module}.{name}" not in anchors]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def root(site: Path) -> Iterator[str]:
    """Serve the site on this machine."""
    handler = functools.partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium(root: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Run one browser for all tests of a worker."""
    with browsing(root, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Browse; nothing may be complained of, and nobody but this machine be asked."""
    chromium.complaints()
    chromium.hosts()
    yield chromium
    assert [] == chromium.complaints()
    assert {"127.0.0.1"} == chromium.hosts()


@needs_browser
@WIDTH
def test_landing_page(browser: Browser, width: str) -> None:
    """The first page shows its title, its code in three tongues and a path for each reader."""
    browser.resize(width)
    browser.open()

    assert ["homebox-async"] == [each.text.strip("¶ \n") for each in browser.seen("h1")]
    assert 4 == len(browser.seen(".grid.cards > ul > li"))
    assert not browser.is_too_wide()


@needs_browser
@WIDTH
def test_code_in_tabs(browser: Browser, width: str) -> None:
    """Choosing a tab shows its code."""
    browser.resize(width)
    browser.open()
    assert ["async with AsyncHomebox() as client:"] == _shown_clients(browser)

    browser.click(".tabbed-labels label", "Sync")

    browser.until(lambda: _shown_clients(browser) == ["with Homebox() as client:"])


def _shown_clients(browser: Browser) -> list[str]:
    lines = [line for code in browser.seen(".tabbed-block pre") for line in code.text.splitlines()]
    return [line.strip() for line in lines if "as client" in line]


@needs_browser
@WIDTH
def test_search(browser: Browser, width: str) -> None:
    """Who searches for an error finds it in the reference."""
    browser.resize(width)
    browser.open()
    if width == "phone":
        browser.click("label.md-header__button[for=__search]")
    browser.click("input.md-search__input")
    browser.seen("input.md-search__input")[0].send_keys("OutcomeUnknown")

    browser.click("a.md-search-result__link[href*='/reference/errors/']")

    browser.until(lambda: browser.path.startswith("reference/errors/"))
    browser.until(lambda: [h for h in browser.seen("h2") if "OutcomeUnknown" in h.text])


@needs_browser
def test_drawer(browser: Browser) -> None:
    """On a phone, the navigation comes out of its drawer and leads to a page."""
    browser.resize("phone")
    browser.open()
    assert [] == browser.seen(".md-nav--primary .md-nav__link")

    for title, path in {"Reference": "reference/", "Command line": "cli/"}.items():
        browser.click("label.md-header__button[for=__drawer]")
        browser.click(".md-nav--primary a.md-nav__link", title)
        browser.until(lambda path=path: browser.path == path)

    assert [] == browser.seen(".md-nav--primary .md-nav__link")


@needs_browser
@WIDTH
def test_dark_mode(browser: Browser, width: str) -> None:
    """The page turns dark, stays so on the next one, and turns light again."""
    browser.resize(width)
    browser.open()
    light = _background(browser)

    browser.click("label[title='Dark mode']")
    dark = browser.until(lambda: (now := _background(browser)) != light and now)
    browser.driver.get(browser.root + "tutorial/")
    assert dark == _background(browser)
    browser.click("label[title='Light mode']")

    browser.until(lambda: _background(browser) == light)
    assert sum(dark) < 150 < sum(light)


def _background(browser: Browser) -> list[int]:
    colour = browser.script("return getComputedStyle(document.body).backgroundColor")
    return [int(part) for part in colour.strip("rgba()").split(",")[:3]]


@needs_browser
@pytest.mark.timeout(180)
def test_no_page_is_too_wide(browser: Browser, site: Path) -> None:
    """Every page fits a phone; wide tables and code scroll in themselves."""
    browser.resize("phone")
    pages = [str(page.parent.relative_to(site)) for page in site.rglob("index.html")]
    wide = []
    for page in pages:
        browser.driver.get(f"{browser.root}{page}/")
        if browser.is_too_wide():
            wide.append(page)

    assert [] == wide
    assert len(pages) > 25
