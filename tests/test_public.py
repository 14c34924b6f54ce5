"""The public surface, pinned; and the house as the design draws it."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import homebox_async

PACKAGE = Path(homebox_async.__file__).parent

PUBLIC = [
    "UNSET",
    "Account",
    "Address",
    "AddressId",
    "AnswerUnusable",
    "AsyncBilling",
    "AsyncBranch",
    "AsyncHomebox",
    "AttemptTimeout",
    "AuthenticationFailed",
    "BadRequest",
    "Bill",
    "BillPayer",
    "Billing",
    "BillingHeader",
    "BillingHeaders",
    "BillingResult",
    "Branch",
    "ChosenBill",
    "ConfigurationError",
    "Confirmation",
    "Conflict",
    "ConnectionFailed",
    "CreatedBranch",
    "DeadlineExceeded",
    "Download",
    "EchoMismatch",
    "Event",
    "ForwardingDetails",
    "FoundAddress",
    "Homebox",
    "HomeboxError",
    "Household",
    "HouseholdAddress",
    "HouseholdStatus",
    "Invite",
    "Lead",
    "Mandate",
    "MandateStatus",
    "Metric",
    "Model",
    "NewTenant",
    "NotFound",
    "OnEvent",
    "Order",
    "OrderAddress",
    "OrderBills",
    "Outcome",
    "OutcomeUnknown",
    "PackageBill",
    "PackagePrice",
    "Page",
    "PageEvent",
    "Pages",
    "Partner",
    "PartnerProperty",
    "PartnerQuote",
    "PauseEvent",
    "Payer",
    "Payment",
    "Payout",
    "PermissionDenied",
    "PostalBill",
    "Price",
    "PriceLine",
    "Problem",
    "Property",
    "PropertyDetails",
    "PropertyStatus",
    "Provider",
    "RateLimited",
    "Reading",
    "RedirectRefused",
    "Request",
    "RequestError",
    "RequestEvent",
    "Reseller",
    "Response",
    "ResponsibleAddress",
    "ResponsibleTenant",
    "Retry",
    "RetryEvent",
    "RowEvent",
    "ServerError",
    "StatusError",
    "Tenancy",
    "TenancyDetails",
    "Tenant",
    "TenantPackage",
    "TenantQuote",
    "UnprocessableEntity",
    "Upload",
    "Utility",
    "UtilityBill",
    "ValidationError",
    "price_package",
    "request_id",
]

# What each room may import of ours; everything else would be an upward or a sideways step.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "evidence": {"errors"},
    "tracebacks": set(),
    "private_files": set(),
    "loading": {"errors"},
    "resolver": set(),
    "tidying": set(),
    "rules": {"errors", "loading", "tidying"},
    "pricing": {"errors", "rules", "tidying"},
    "models": {"errors"},
    "cells": set(),
    "workbook_writer": {"cells"},
    "days": set(),
    "lenient": {"days", "models"},
    "codec": {"days", "lenient", "models"},
    "shapes": {"models"},
    "arrow": {"errors", "models", "shapes"},
    "json_values": {"errors", "tidying"},
    "wire": {"errors", "json_values", "rules", "tidying"},
    "events": {"errors"},
    "request_ids": {"errors"},
    "refusals": set(),
    "failures": {"errors", "events", "refusals", "request_ids", "wire"},
    "forms": {"errors", "wire"},
    "uploads": {"errors", "loading", "rules", "wire"},
    "download": {"private_files", "tracebacks", "wire"},
    "large": {"errors", "models", "wire"},
    "permits": set(),
    "middleware": {"errors", "failures", "large", "models", "permits", "request_ids", "wire"},
    "retry": {"errors", "events", "failures", "middleware", "wire"},
    "origin": {"errors"},
    "stream": {"errors", "failures", "wire"},
    "alarm": set(),
    "exchange": {"errors", "origin"},
    "transport": {
        "alarm",
        "errors",
        "exchange",
        "failures",
        "forms",
        "loading",
        "origin",
        "resolver",
        "stream",
        "wire",
    },
    "login": {"errors", "failures", "middleware", "models", "transport", "wire"},
    "pages": {"arrow", "events", "evidence", "models", "tracebacks"},
    "observer": {"errors", "events", "failures", "middleware", "pages", "request_ids", "wire"},
    "resources": {
        "codec",
        "download",
        "errors",
        "models",
        "pages",
        "resources",
        "rules",
        "tidying",
        "tracebacks",
        "uploads",
        "wire",
    },
    "credentials": {"errors", "private_files", "tidying", "tracebacks", "wire"},
    "pending": {"errors"},
    "version": set(),
    "options": {"errors", "retry", "tidying"},
    "loops": {"errors"},
    "bridge": {"errors", "failures", "loading", "loops"},
    "blocking": {
        "arrow",
        "bridge",
        "download",
        "errors",
        "evidence",
        "models",
        "pages",
        "rules",
        "tracebacks",
    },
    "base_client": {
        "blocking",
        "bridge",
        "errors",
        "events",
        "loading",
        "loops",
        "middleware",
        "observer",
        "options",
        "request_ids",
        "retry",
        "transport",
        "version",
        "wire",
    },
    "client": {
        "base_client",
        "codec",
        "credentials",
        "errors",
        "events",
        "json_values",
        "login",
        "middleware",
        "models",
        "observer",
        "options",
        "resources",
        "retry",
        "tracebacks",
        "transport",
        "wire",
    },
    "identity": {"client", "errors", "middleware", "origin", "wire"},
    "billing": {
        "base_client",
        "blocking",
        "credentials",
        "errors",
        "events",
        "login",
        "middleware",
        "observer",
        "options",
        "origin",
        "resources",
        "retry",
        "tidying",
        "tracebacks",
        "transport",
        "wire",
    },
    "sync": {
        "base_client",
        "blocking",
        "bridge",
        "client",
        "credentials",
        "events",
        "middleware",
        "resources",
        "retry",
        "tracebacks",
    },
    "otel": {
        "base_client",
        "errors",
        "events",
        "failures",
        "middleware",
        "observer",
        "version",
        "wire",
    },
    "keyring": {
        "billing",
        "client",
        "credentials",
        "errors",
        "origin",
        "tracebacks",
        "wire",
    },
}


def test_public_names() -> None:
    """The public names are these, sorted, and all of them are there."""
    assert homebox_async.__all__ == PUBLIC
    assert all(hasattr(homebox_async, name) for name in PUBLIC)


def test_each_name_is_found_where_checkers_look_for_it() -> None:
    """What is imported on first use is what type checkers are told."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (told,) = (node.body for node in tree.body if isinstance(node, ast.If))
    assert homebox_async._MODULE_OF == {
        alias.name: node.module
        for node in told
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(homebox_async.__all__) <= set(dir(homebox_async))


def test_a_name_that_is_not_there() -> None:
    """A wrong name is an AttributeError as for any module."""
    with pytest.raises(AttributeError, match="'homebox_async' has no attribute 'Hombox'"):
        homebox_async.Hombox  # noqa: B018


def imports(path: Path) -> set[str]:
    """Return the rooms of ours that a file imports, wherever in it."""
    depth = len(path.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            inside = path.relative_to(PACKAGE).parts[: depth - node.level]
            # `from . import exchange` names its room last
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {".".join([*inside, name]).split(".")[0] for name in modules}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("homebox_async"):
            found.add((node.module or "").removeprefix("homebox_async").strip(".").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("homebox_async.")
            }
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_downward(room: str) -> None:
    """Each room imports only what the design allows it."""
    files = [PACKAGE / f"{room}.py"] if room != "resources" else (PACKAGE / room).glob("*.py")
    for file in files:
        assert set() == imports(file) - MAY_IMPORT[room], file.name


def test_the_rooms_are_all_known() -> None:
    """No module of the core is left out of the drawing."""
    core = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert core == set(MAY_IMPORT) - {"resources"}


def test_the_emulator_knows_no_client() -> None:
    """The emulator may know how things look on the wire, never the client."""
    for file in (PACKAGE / "emulator").rglob("*.py"):
        found = imports(file) - {"emulator"}
        assert found <= {"wire", "models", "resources", "errors", "private_files"}, file.name


def test_only_tests_know_the_testing_kit() -> None:
    """The testing kit stands on top of all: no other room imports it."""
    for file in {*PACKAGE.rglob("*.py")} - {*(PACKAGE / "testing").glob("*.py")}:
        assert "testing" not in imports(file), file.name


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_only_the_transport_knows_aiohttp(room: str) -> None:
    """aiohttp is imported by the transport, its exchanges, forms, look-ups and streams only."""
    files = [PACKAGE / f"{room}.py"] if room != "resources" else (PACKAGE / room).glob("*.py")
    for file in files:
        assert room in {
            "exchange",
            "forms",
            "resolver",
            "transport",
            "stream",
        } or "aiohttp" not in {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }


@pytest.mark.parametrize(
    "module",
    sorted(
        f"homebox_async.{name}"
        for name in [
            *MAY_IMPORT,
            *(f"resources.{m.name}" for m in pkgutil.iter_modules([str(PACKAGE / "resources")])),
        ]
    ),
)
def test_no_circles(module: str) -> None:
    """Each module can be found; the graph above has no circle by its order."""
    importlib.import_module(module)
    order = list(MAY_IMPORT)
    for room, below in MAY_IMPORT.items():
        assert all(order.index(name) <= order.index(room) for name in below)


def test_importing_is_quiet() -> None:
    """Importing starts no thread, opens no loop, warns of nothing and loads what it needs."""
    code = (
        "import threading, sys, homebox_async; "
        "assert 'aiohttp' not in sys.modules; "
        "homebox_async.Homebox; "
        "assert threading.active_count() == 1; "
        "assert not {'anyio', 'cattrs', 'tenacity'} & {*sys.modules}; "
        "assert 'homebox_async.emulator' not in sys.modules; "
        "assert 'homebox_async.importer' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code], capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_every_operation_names_its_source() -> None:
    """Each operation's docstring names the path and the heading of the document."""
    for file in (PACKAGE / "resources").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and node.name.startswith("Async"):
                for method in node.body:
                    if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        words = ast.get_docstring(method) or ""
                        assert method.name.startswith("_") or "Source: " in words, method.name
