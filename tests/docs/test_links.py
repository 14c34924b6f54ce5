"""Links lead somewhere also where the pages are read as files; the site's build checks the rest."""

import re
from pathlib import Path

import pytest

from .blocks import DOCS, GENERATED, ROOT, pages

ALL = [*pages(), *sorted(GENERATED)]
_FENCED = re.compile(r"(?ms)^ *```.*?^ *```$")
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def links_of(page: Path) -> list[str]:
    """Return the targets of the links of a page."""
    return _LINK.findall(_CODE.sub("", _FENCED.sub("", page.read_text())))


@pytest.mark.parametrize("page", ALL, ids=[str(page.relative_to(ROOT)) for page in ALL])
def test_links(page: Path) -> None:
    """Each link of a page is to a file that there is, or to the web by https."""
    inner = [link for link in links_of(page) if not link.startswith(("https://", "#"))]

    files = [(page.parent / link.partition("#")[0]).resolve() for link in inner]

    assert [] == [str(file.relative_to(ROOT)) for file in files if not file.exists()]
    if page.is_relative_to(DOCS):
        assert [] == [link for link, f in zip(inner, files, strict=True) if DOCS not in f.parents]


def test_links_are_found() -> None:
    """The pattern finds the links; the README alone has many."""
    assert len(links_of(ROOT / "README.md")) > 15
