"""Chromium without a window, as a reader of the documentation: what it sees, asks for and says."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
)
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}

_FLAGS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
    *("disable-background-networking", "disable-component-update", "disable-sync"),
    *("disable-dev-shm-usage", "force-prefers-reduced-motion"),
)
_SEEN = """
return [...document.querySelectorAll(arguments[0])].filter(each => {
  const box = each.getBoundingClientRect();
  const inside = box.right > 0 && box.left < window.innerWidth && box.width * box.height > 0;
  return inside && each.checkVisibility({visibilityProperty: true, opacityProperty: true});
});
"""
# What comes of a page that is still being drawn; `until` looks again.
_MOVING = (ElementClickInterceptedException, StaleElementReferenceException)


@attrs.define(eq=False)
class Browser:
    """One browser at the root of a site."""

    driver: Any
    root: str
    wait: Any
    across: int = 0

    def resize(self, width: str) -> None:
        """Be a desktop or a phone."""
        self.across, down = WIDTHS[width]
        phone = width == "phone"
        size = {"width": self.across, "height": down, "deviceScaleFactor": 1, "mobile": phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def open(self, path: str = "") -> None:
        """Go to a page as somebody who was never here."""
        self.driver.get(self.root + path)
        if self.script("return localStorage.length"):
            self.script("localStorage.clear()")
            self.driver.refresh()

    @property
    def path(self) -> str:
        """Where the browser is, below the root."""
        return str(self.driver.current_url).removeprefix(self.root)

    def script(self, code: str, *given: Any) -> Any:
        """Return what a piece of JavaScript does."""
        return self.driver.execute_script(code, *given)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, and return what it gave."""
        return self.wait.until(lambda _: condition())

    def seen(self, selector: str) -> list[WebElement]:
        """Return the elements that can be seen, in the window."""
        return list(self.script(_SEEN, selector))

    def click(self, selector: str, text: str = "") -> None:
        """Click the first one that can be seen, with this text if given, once there is one."""
        self.until(lambda: self._clicked(selector, text))

    def _clicked(self, selector: str, text: str) -> bool:
        for each in self.seen(selector):
            if text in {"", each.text.strip()}:
                each.click()
                return True
        return False

    def is_too_wide(self) -> bool:
        """Tell whether the page is wider than the window."""
        needed = self.script(
            "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        )
        return int(needed) > self.across

    def complaints(self) -> list[str]:
        """Return the warnings and errors of the console since the last look."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"WARNING", "SEVERE"}
        ]

    def hosts(self) -> set[str]:
        """Return every host that something was asked of since the last look."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [
            urlsplit(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        return {url.hostname or "" for url in urls if url.scheme in {"http", "https", "ws", "wss"}}


@contextmanager
def browsing(root: str, profile: Path) -> Iterator[Browser]:
    """Run Chromium with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in _FLAGS:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield Browser(driver, root, WebDriverWait(driver, 20, 0.05, _MOVING))
    finally:
        driver.quit()
