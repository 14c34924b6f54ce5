"""Makes Markdown of the package's docstrings, and shows the fields of its attrs classes.

The docstrings are plain text: a literal block follows a double colon, and arguments are described
by sentences that begin with their name in backticks and a colon, often several to a paragraph.
"""

import re
from collections.abc import Iterator
from typing import Any

import griffe

# "`timeout`: seconds ...", "`json` or `form`: ...", "`start_page`, `prefetch`: ..."
_NAMES = r"`[^`]+`(?:(?:, | and | or )`[^`]+`)*: "
_ITEM = re.compile(rf"(?:^|(?<=[.;,] )){_NAMES}")
# A table of two columns: a name, and what it means.
_ROW = re.compile(r"^(`[^`]+`) {2,}", re.MULTILINE)
# What has a paragraph of its own.
_SENTENCE = re.compile(r"(?<=\.)\n(?=(?:Raises|Source:) )")
_LITERAL = re.compile(r"(?m)^(?P<text>.*?) ?::$")
_ATTRS = {"model", "input_model", "attrs.frozen", "attrs.define", "attrs.mutable"}
_ENUMS = {"enum.Enum", "enum.IntEnum", "enum.StrEnum"}


def markdown(text: str) -> str:
    """Return a docstring as Markdown."""
    text = _LITERAL.sub(lambda found: f"{found['text']}:" if found["text"] else "", text)
    return "\n\n".join(_paragraphs(_SENTENCE.sub("\n\n", text)))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("    "):
            yield paragraph
            continue
        if len(_ROW.findall(paragraph)) > paragraph.count("\n"):
            yield _ROW.sub(r"- \1: ", paragraph)
            continue
        joined = re.sub(r"\n(?! )", " ", paragraph)
        starts = [found.start() for found in _ITEM.finditer(joined)]
        if not starts:
            yield paragraph
            continue
        before = joined[: starts[0]].strip()
        if before:
            yield before
        ends = [*starts[1:], len(joined)]
        items = [joined[a:b].strip(" ,;") for a, b in zip(starts, ends, strict=True)]
        yield "\n".join(f"- {item}" for item in items)


def table(cls: griffe.Class) -> str:
    """Return the fields of an attrs class or the values of an enumeration, "" for another one."""
    if {str(base) for base in cls.bases} & _ENUMS:
        rows = [f"| `{each.name}` | `{each.value}` |" for each in _untold(cls)]
        return "\n".join(["| Name | Value |", "|---|---|", *rows]) if rows else ""
    if not {str(decorator.value).split("(")[0] for decorator in cls.decorators} & _ATTRS:
        return ""
    rows = [f"| `{each.name}` | `{each.annotation}` |" for each in _untold(cls) if each.annotation]
    return "\n".join(["| Field | Type |", "|---|---|", *rows]) if rows else ""


def _untold(cls: griffe.Class) -> Iterator[griffe.Attribute]:
    """Give the public fields that have no words of their own."""
    for name, member in {**cls.inherited_members, **cls.members}.items():
        labels = member.labels if member.is_attribute and not name.startswith("_") else set()
        if "class-attribute" in labels and "property" not in labels and not member.docstring:
            yield member


class Docstrings(griffe.Extension):
    """Rewrites each docstring once the package is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Make Markdown of one docstring."""
        if obj.docstring is not None and obj.package.name == "homebox_async":
            obj.docstring.value = markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Add the tables, for which inherited members are known only now."""
        _add_tables(pkg)


def _add_tables(scope: griffe.Object) -> None:
    for member in scope.members.values():
        if isinstance(member, griffe.Class) and member.docstring is not None:
            shown = table(member)
            if shown:
                member.docstring.value += f"\n\n{shown}"
        if isinstance(member, griffe.Module | griffe.Class):
            _add_tables(member)
