"""What Python's own tools and habits meet: truth, mocks, subclasses, other loops, no docstrings."""

import inspect
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
import trio

import homebox_async
from homebox_async import AsyncBilling, AsyncHomebox, Billing, ConfigurationError, Homebox
from homebox_async.export import export, export_sync
from homebox_async.importer import (
    import_leads,
    import_leads_sync,
    import_properties,
    import_properties_sync,
    import_readings,
    import_readings_sync,
    import_voids,
    import_voids_sync,
)

IMPORTS = (import_properties, import_leads, import_voids, import_readings)
IMPORTS_SYNC = (
    *(import_properties_sync, import_leads_sync),
    *(import_voids_sync, import_readings_sync),
)
NOWHERE = "http://127.0.0.1:9"


def lists(client: Any) -> list[Any]:
    """Return every list of a client."""
    home = client.branch(1)
    return [
        *(client.properties.list(), client.orders.list(), client.leads.list()),
        *(client.readings.list_for_order(1), client.readings.list_for_property(1)),
        *(client.postal_bills.list(1), client.branches.list(), home.orders.list()),
        home.leads.list(),
    ]


@pytest.mark.parametrize("client", [AsyncHomebox, Homebox], ids=lambda kind: kind.__name__)
def test_the_truth_of_a_list(client: Any) -> None:
    """Whether a list is empty is not known before it is fetched: asking says what to do."""
    for pages in lists(client("t", base_url=NOWHERE)):
        with pytest.raises(TypeError, match=r"first\(\) is not None"):
            bool(pages)


@pytest.mark.parametrize("make", [*IMPORTS, *IMPORTS_SYNC], ids=lambda make: make.__name__)
def test_an_import_that_never_ran(make: Callable[..., Any], tmp_path: Path) -> None:
    """An import that was made and not run warns: nothing was sent."""
    client: Any = (Homebox if make in IMPORTS_SYNC else AsyncHomebox)("t", base_url=NOWHERE)
    run = [make(client, tmp_path / "in.csv")]
    with pytest.warns(ResourceWarning, match="an import was made and never run"):
        run.clear()


@pytest.mark.parametrize("make", [export, export_sync])
def test_an_export_that_never_ran(make: Any, tmp_path: Path) -> None:
    """So does an export."""
    client = (Homebox if make is export_sync else AsyncHomebox)("t", base_url=NOWHERE)
    run = [make(client, "leads", tmp_path / "out.csv")]
    with pytest.warns(ResourceWarning, match="an export was made and never run"):
        run.clear()


@pytest.mark.parametrize("client", [Homebox("t"), None, "t", AsyncBilling("t")], ids=repr)
@pytest.mark.parametrize("make", IMPORTS, ids=lambda make: make.__name__)
def test_the_wrong_client(make: Any, client: Any, tmp_path: Path) -> None:
    """An import, or an export, of another client is refused at once, with what to call."""
    with pytest.raises(ConfigurationError, match=r"AsyncHomebox, not .*; (call|give) "):
        make(client, tmp_path / "in.csv")
    with pytest.raises(ConfigurationError, match=r"AsyncHomebox, not .*; (call|give) "):
        export(client, "leads", tmp_path / "out.csv")


@pytest.mark.parametrize("client", [AsyncHomebox("t"), None, Billing], ids=repr)
@pytest.mark.parametrize("make", IMPORTS_SYNC, ids=lambda make: make.__name__)
def test_the_wrong_client_of_a_twin(make: Any, client: Any, tmp_path: Path) -> None:
    """So it is of the sync twins."""
    name = make.__name__.removesuffix("_sync")
    fix = f"call {name}" if isinstance(client, AsyncHomebox) else "give Homebox"
    with pytest.raises(ConfigurationError, match=f"{name}_sync takes a client of Homebox.*{fix}"):
        make(client, tmp_path / "in.csv")
    with pytest.raises(ConfigurationError, match="export_sync takes a client of Homebox"):
        export_sync(client, "leads", tmp_path / "out.csv")


CLASSES = [
    one for name in homebox_async.__all__ if isinstance(one := getattr(homebox_async, name), type)
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_autospec(kind: type) -> None:
    """Every public class can be autospecced, as itself and as an object."""
    create_autospec(kind)
    create_autospec(kind, instance=True)


@pytest.mark.parametrize("kind", [AsyncHomebox, Homebox, type(AsyncHomebox("t").branch(1))])
async def test_autospec_holds_what_the_object_does(kind: Any) -> None:
    """The mock of a client has its resources, with their methods and arguments, and no others."""
    real: Any = kind("t") if kind in (AsyncHomebox, Homebox) else AsyncHomebox("t").branch(1)
    fake = create_autospec(kind, instance=True)
    held = [name for name, value in vars(real).items() if name[0] != "_" and name != "id"]
    assert len(held) in (5, 16)
    for name in held:
        assert getattr(fake, name) is not None
    if inspect.isawaitable(asked := fake.leads.get(5)):
        await asked
    fake.leads.get.assert_called_once_with(5)
    with pytest.raises(TypeError):
        fake.leads.get(5, nonsense=True)
    with pytest.raises(AttributeError):
        fake.nonsense  # noqa: B018


@pytest.mark.parametrize("base", [AsyncHomebox, Homebox, AsyncBilling, Billing])
def test_subclasses_keep_their_attributes(base: Any) -> None:
    """A view of a subclass has what the subclass has put on itself."""

    class Mine(base):  # type: ignore[misc]
        def __init__(self, office: str) -> None:
            super().__init__("t")
            self.office = office

    view = Mine("Leeds").with_options(deadline=5)
    assert (Mine, "Leeds") == (type(view), view.office)


@pytest.mark.parametrize(
    "work",
    [
        lambda client, _: client.account.get(),
        lambda client, _: client.leads.list().collect(),
        lambda client, _: client.request("GET", "x"),
        lambda client, folder: import_leads(client, folder / "in.csv").wait(),
        lambda client, folder: export(client, "leads", folder / "out.csv").run(),
    ],
    ids=["call", "list", "request", "import", "export"],
)
def test_trio(work: Any, tmp_path: Path) -> None:
    """Under another event loop than asyncio's it is our own error that says what to do."""

    async def main() -> None:
        doing = work(AsyncHomebox("t", base_url=NOWHERE), tmp_path)
        if hasattr(doing, "__await__"):
            with pytest.raises(ConfigurationError, match="no event loop of asyncio"):
                await doing

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trio.run(main)


@pytest.mark.parametrize("words", [[], ["leads"], ["import"], ["leads", "list", "-h"]], ids=str)
@pytest.mark.parametrize("flags", [["-m"], ["-OO", "-m"]], ids=str)
def test_help_without_docstrings(flags: list[str], words: list[str]) -> None:
    """`python -m homebox_async` is the command line, and `-OO` leaves its help whole."""
    plain = [sys.executable, "-m", "homebox_async.cli", *words]
    expected = subprocess.run(plain, capture_output=True, text=True)
    shown = subprocess.run(
        [sys.executable, *flags, "homebox_async", *words], capture_output=True, text=True
    )
    usage = "python -m homebox_async"
    assert (
        expected.returncode,
        (expected.stdout + expected.stderr).replace(f"{usage}.cli", usage).split(),
    ) == (shown.returncode, (shown.stdout + shown.stderr).split())
    assert len(shown.stdout + shown.stderr) > 200
