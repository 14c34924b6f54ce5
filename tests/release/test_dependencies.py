"""What the package imports is what pyproject.toml declares, no less and no more."""

import ast
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import homebox_async

PACKAGE = Path(homebox_async.__file__).parent


def imported(declared: set[str]) -> dict[str, set[str]]:
    """Return which of the package's parts import each distribution, its command line apart."""
    owners = packages_distributions()
    users: dict[str, set[str]] = {}
    # `_typeshed` is for type checkers alone; pydantic imports the hook that uses its core.
    known = {*sys.stdlib_module_names, "_typeshed", "pydantic_core"}
    for path in PACKAGE.rglob("*.py"):
        part = "cli" if path.is_relative_to(PACKAGE / "cli") else "package"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            else:
                continue
            for name in {name.partition(".")[0] for name in names} - known:
                found = {canonicalize_name(owner) for owner in owners[name]}
                # Several distributions may share a name ("opentelemetry"): the one that is meant
                # is declared.
                [owner] = found if len(found) == 1 else found & declared
                users.setdefault(owner, set()).add(part)
    users.pop("homebox-async", None)
    return users


def test_declared(requirements: list[Requirement]) -> None:
    """Every distribution that is imported is declared, and every one declared is imported."""
    declared = _names(requirements)
    assert declared == set(imported(declared))


def test_only_for_the_command_line(
    project: dict[str, dict[str, list[str]]], requirements: list[Requirement]
) -> None:
    """What comes with the extra `cli` is imported by nothing else."""
    wanted = project["optional-dependencies"]["cli"]
    names = _names(map(Requirement, wanted))
    assert {name: {"cli"} for name in names} == {
        name: parts for name, parts in imported(_names(requirements)).items() if name in names
    }


def _names(requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}
