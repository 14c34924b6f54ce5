"""The sync client offers what the async one does, and nothing else."""

import inspect
import subprocess
import sys
from typing import Any

import pytest

import homebox_async
from homebox_async import AsyncHomebox, Homebox
from homebox_async.blocking import Facade
from homebox_async.resources.base import Resource


def _groups(client: Any, kind: type) -> dict[str, Any]:
    return {name: group for name, group in vars(client).items() if isinstance(group, kind)}


def _operations(group: Any) -> dict[str, Any]:
    found = inspect.getmembers(type(group), inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}


def _pairs() -> list[tuple[str, Any, Any]]:
    sync, plain = Homebox("token"), AsyncHomebox("token")
    pairs = []
    for where, left, right in (("", sync, plain), ("branch.", sync.branch(1), plain.branch(1))):
        facades, resources = _groups(left, Facade), _groups(right, Resource)
        assert set(facades) == set(resources)
        pairs += [(where + name, facades[name], resources[name]) for name in resources]
    return pairs


PAIRS = _pairs()


@pytest.mark.parametrize(
    ("facade", "resource"),
    [pytest.param(facade, resource, id=name) for name, facade, resource in PAIRS],
)
def test_same_operations(facade: Any, resource: Any) -> None:
    """Each sync method wraps the very async one, with its signature and its words."""
    expected = _operations(resource)
    actual = {name: method.__wrapped__ for name, method in _operations(facade).items()}
    assert expected == actual
    assert all(method.__doc__ for method in expected.values())


def test_sixty_operations() -> None:
    """The document has 60 operations of the Partner API, and each is here once."""
    count = sum(len(_operations(resource)) for _, _, resource in PAIRS)
    assert 60 == count


def test_operations_of_a_branch() -> None:
    """A branch offers what the API has for branches, and nothing that it has not."""
    expected = {
        "branch.properties": {"create"},
        "branch.orders": {"create", "list", "get"},
        "branch.invites": {"create"},
        "branch.leads": {"create", "list", "get"},
        "branch.voids": {"create"},
    }
    found = {name: set(_operations(one)) for name, _, one in PAIRS if name in expected}
    assert expected == found


def test_every_operation_names_its_source() -> None:
    """Each docstring names the line of the document that it follows."""
    missing = [
        f"{name}.{operation}"
        for name, _, resource in PAIRS
        for operation, method in _operations(resource).items()
        if "Source: " not in (method.__doc__ or "")
    ]
    assert [] == missing


def test_public_names_are_sorted() -> None:
    """`__all__` is sorted, constants first, and each name is there."""
    names = homebox_async.__all__
    assert sorted(names, key=lambda name: (not name.isupper(), name)) == names
    assert all(hasattr(homebox_async, name) for name in names)


def test_start_up_does_not_pay() -> None:
    """Importing the package leaves the validation libraries alone."""
    code = "import sys, homebox_async; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set() == {"phonenumbers", "iso3166", "filetype"} & set(done.stdout.split())
