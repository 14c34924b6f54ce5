"""The code blocks of README.md and docs/**/*.md, as they stand.

A comment on the line before a block says how it is used::

    <!-- file: NAME -->      written to NAME in the folder in which the page's blocks run
    <!-- snippet: NAME -->   run by a test of its own, which gets it with `snippet`
    <!-- command: NAME -->   a command of README.md that the gate reads

Without one, ``python`` and ``sh`` blocks are run by test_blocks.py, and others are shown only.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Made from the code, and covered by tests of their own.
GENERATED = {DOCS / "cli.md", DOCS / "operations.md"}

_MARK = re.compile(r" *<!-- (?P<use>\w+): (?P<name>\S+) -->")
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<kind>\w*)(?P<more>[^`]*)")
# A line of pymdownx.snippets.
_INCLUDE = re.compile(r'^( *)--8<-- "(?P<path>[^":]+)"$', re.MULTILINE)


@attrs.frozen
class Block:
    """One fenced block: `use` and `name` are those of the mark before it, "" without one."""

    page: Path
    line: int
    kind: str
    code: str
    use: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """Where it stands, for the names of tests."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page that people write."""
    return [ROOT / "README.md", *sorted(set(DOCS.rglob("*.md")) - GENERATED)]


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    return list(_blocks(page))


def _blocks(page: Path) -> Iterator[Block]:
    lines = iter(enumerate(page.read_text().splitlines(), 1))
    before = ""
    for number, line in lines:
        opened = _FENCE.fullmatch(line)
        if opened is None:
            before = line
            continue
        inside: list[str] = []
        for _, content in lines:
            if content == opened["indent"] + opened["fence"]:
                break
            inside.append(content)
        else:
            raise ValueError(f"{page}:{number}: the block has no end")
        code = textwrap.dedent("\n".join(inside)) + "\n"
        code = _INCLUDE.sub(lambda found: (DOCS / found["path"]).read_text(), code)
        mark = _MARK.fullmatch(before)
        use, name = (mark["use"], mark["name"]) if mark else ("", "")
        yield Block(page, number, opened["kind"], code, use, name)
        before = ""


def snippet(page: str, name: str) -> str:
    """Return the one block of a page that is marked with this name."""
    found = [b for b in blocks_of(ROOT / page) if (b.use, b.name) == ("snippet", name)]
    [block] = found
    return block.code
