"""Makes Markdown of the package's docstrings, and shows the fields of its attrs classes.

The docstrings are plain text: a literal block follows a double colon, and arguments are described
by sentences that begin with their name in backticks and a colon, often several to a paragraph.
"""

import re
from typing import Any

import griffe

# "`timeout`: seconds ...", "`headers` or `json`: ...", "`a`, `b`: ..."
_TERM = re.compile(r"^`[^`]+`(?:(?:, | and | or )`[^`]+`)*: ")
# What has a paragraph of its own.
_SENTENCE = re.compile(r"^(?:Raises|Source:) ")
_LITERAL = re.compile(r"(?m)^(?P<text>.*?)\s*::$")


def markdown(text: str) -> str:
    """Return a docstring as Markdown."""
    text = _LITERAL.sub(lambda found: f"{found['text']}:" if found["text"] else "", text)
    lines: list[str] = []
    in_list = False
    for line in text.splitlines():
        if _TERM.match(line):
            if lines and lines[-1] and not in_list:
                lines.append("")
            in_list = True
            lines.append(f"- {line}")
        elif _SENTENCE.match(line):
            lines += ["", line] if lines and lines[-1] else [line]
            in_list = False
        elif in_list and line:
            lines.append(f"  {line}")
        else:
            in_list = in_list and bool(line)
            lines.append(line)
    return "\n".join(lines)


def fields(cls: griffe.Class) -> str:
    """Return the public fields of an attrs class as a table, "" for another class."""
    if not any(_makes_attrs(str(decorator.value)) for decorator in cls.decorators):
        return ""
    rows = [
        f"| `{name}` | `{str(member.annotation).replace('|', chr(92) + '|')}` |"
        for name, member in {**cls.inherited_members, **cls.members}.items()
        if isinstance(member, griffe.Attribute)
        and not name.startswith("_")
        and member.annotation is not None
        and "class-attribute" in member.labels
        and not member.docstring
    ]
    return "\n".join(["| Field | Type |", "|---|---|", *rows]) if rows else ""


def _makes_attrs(decorator: str) -> bool:
    return decorator.split("(")[0] in {
        *("model", "input_model"),
        *("attrs.frozen", "attrs.define", "attrs.mutable"),
    }


class Docstrings(griffe.Extension):
    """Rewrites each docstring once the package is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Make Markdown of one docstring."""
        if obj.docstring is None or obj.package.name != "homebox_async":
            return
        obj.docstring.value = markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Add the tables of fields, for which inherited members are known only now."""
        _add_fields(pkg)


def _add_fields(scope: griffe.Object) -> None:
    for member in scope.members.values():
        if isinstance(member, griffe.Class) and member.docstring is not None:
            table = fields(member)
            if table:
                member.docstring.value += f"\n\n{table}"
        if isinstance(member, griffe.Module | griffe.Class):
            _add_fields(member)
