"""docs/SECURITY.md names tests that there are, and commands that there are."""

import ast
import re

from .blocks import ROOT, snippet

TEXT = (ROOT / "docs/SECURITY.md").read_text()


def test_every_named_test_exists() -> None:
    """A claim that lost its test is found here."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT))
    assert len(named) > 25

    def functions(path: str) -> set[str]:
        body = ast.parse((ROOT / path).read_text()).body
        return {f.name for f in body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)}

    assert [] == [(path, test) for path, test in named if test not in functions(path)]


def test_every_named_file_exists() -> None:
    """The files of the commands are in the repository."""
    blocks = [snippet("docs/SECURITY.md", name) for name in ("audit", "release")]
    files = [word for block in blocks for word in block.split() if word.startswith(".ci/")]
    assert [".ci/audit", ".ci/build-constraints.txt"] == files
    assert [] == [name for name in files if not (ROOT / name).exists()]
