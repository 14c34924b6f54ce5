"""The reference of the configuration names everything that there is to configure."""

import ast
import inspect
import re
import tomllib

import click
import pytest

from homebox_async import AsyncBilling, AsyncHomebox
from homebox_async.cli.root import homebox

from .blocks import DOCS, ROOT

TEXT = (DOCS / "reference/configuration.md").read_text()


def _section(title: str) -> str:
    [found] = re.findall(rf"(?ms)^## {title}\n(.*?)(?=^## |\Z)", TEXT)
    return found


@pytest.mark.parametrize("client", [AsyncHomebox, AsyncBilling])
def test_arguments(client: type) -> None:
    """Every argument of the clients stands there; `now` is for tests only."""
    section = _section("Arguments of the clients")
    arguments = set(inspect.signature(client).parameters) - {"now"}

    assert [] == sorted(name for name in arguments if f"`{name}`" not in section)


def test_defaults() -> None:
    """The defaults of the numbers are those of the code."""
    section = _section("Arguments of the clients")
    parameters = {
        **inspect.signature(AsyncBilling).parameters,
        **inspect.signature(AsyncHomebox).parameters,
    }.values()
    numbers = {p.name: p.default for p in parameters if type(p.default) in {int, float}}

    told = dict(re.findall(r"\| `(\w+)` \| `([\d.]+)` \|", section))

    assert {name: repr(value) for name, value in numbers.items()} == told


def test_variables() -> None:
    """Every variable that the code reads stands there, and no other one of ours."""
    read = {
        word
        for path in (ROOT / "homebox_async").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in re.findall(r"\bHOMEBOX_[A-Z_]+[A-Z]\b", node.value)
        if not word.endswith("_FILE")
    }
    told = set(re.findall(r"`(HOMEBOX_[A-Z_]+[A-Z])`", TEXT))

    assert read == {word for word in told if not word.endswith("_FILE")}


def test_connection_options() -> None:
    """Every option that all commands of the connection share stands there."""
    section = _section("Options of the command")
    context = click.Context(homebox)
    group = homebox.get_command(context, "account")
    assert isinstance(group, click.Group)
    options = [o for o in group.commands["show"].params if isinstance(o, click.Option)]

    assert [] == [o.opts[-1] for o in options if f"`{o.opts[-1]}" not in section]


def test_extras() -> None:
    """Every extra that is for users stands there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"]) - {"bench", "dev", "docs"}

    assert extras == set(re.findall(r"(?m)^\| `([\w-]+)` \|", _section("Extras")))
