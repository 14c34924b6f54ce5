"""The extension that makes Markdown of docstrings, and tables of classes."""

import importlib.util
from types import ModuleType

import griffe
import pytest

from .blocks import DOCS


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    """Load the extension as mkdocstrings does, from its file."""
    spec = importlib.util.spec_from_file_location("docstrings", DOCS / "extensions/docstrings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Return it.", "Return it."),
        ("Do so::\n\n    code()\n\n::\n\n    more()", "Do so:\n\n    code()\n\n\n\n    more()"),
        (
            "One.\n\n`a`: first. `b`, `c`: both;\nand more, `d` or `e`: last.",
            "One.\n\n- `a`: first.\n- `b`, `c`: both; and more\n- `d` or `e`: last.",
        ),
        ("As it says in `a` here:\nno list.", "As it says in `a` here:\nno list."),
        (
            "`a`: one.\nRaises NotFound.\nSource: GET /x.",
            "- `a`: one.\n\nRaises NotFound.\n\nSource: GET /x.",
        ),
        ("`on`   it is on\n`off`  it is `off`", "- `on`: it is on\n- `off`: it is `off`"),
    ],
    ids=["plain", "literal", "items", "prose", "sentences", "rows"],
)
def test_markdown(extension: ModuleType, text: str, markdown: str) -> None:
    """Items become a list, and what stands for itself a paragraph; code is left as it is."""
    assert markdown == extension.markdown(text)


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("@model\nclass A:\n    id: int | None = None\n    _b: int = 1", "`id` | `int | None`"),
        ("@attrs.frozen(kw_only=True)\nclass A:\n    n: str = attrs.field()", "`n` | `str`"),
        ("class A(enum.IntEnum):\n    ON = 1", "`ON` | `1`"),
        ("@model\nclass A:\n    n: int = 1\n    '''Told.'''", ""),
        ("class A:\n    n: int = 1", ""),
    ],
    ids=["model", "attrs", "enum", "told already", "plain class"],
)
def test_table(extension: ModuleType, code: str, table: str) -> None:
    """The public fields of attrs classes and the values of enumerations are shown."""
    with griffe.temporary_visited_module(f"import attrs, enum\n{code}") as module:
        shown = extension.table(module["A"])

    rows = shown.splitlines()[2:]
    assert ([f"| {table} |"] if table else []) == rows
