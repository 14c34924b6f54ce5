"""The wheel, installed as users install it: without extras, with them, and under a type checker."""

import base64
import csv
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]

Install = Callable[..., Any]

# Every licence that a user of the package takes on; all are permissive.
LICENCES = {"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0"}
# What is written otherwise in metadata from before there were licence expressions.
NAMED_OTHERWISE = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
}

USE = """\
from homebox_async import Address, Homebox

with Homebox() as client:
    reveal_type(client.properties.get(1).id)
    client.properties.create(Address(line1="1 High Street", city="Leeds", postcode=5))
"""


@pytest.fixture(scope="module")
def bare(install: Install, released: Any) -> Any:
    """Return an environment with the wheel and what it cannot do without."""
    return install(str(released.wheel))


@pytest.fixture(scope="module")
def full(install: Install, released: Any, extras: list[str]) -> Any:
    """Return an environment with the wheel and all extras for users."""
    return install(f"{released.wheel}[{','.join(extras)}]")


def licences(distribution: Distribution) -> set[str]:
    """Return what a distribution says of its licence."""
    told = distribution.metadata
    if expression := told.get("License-Expression"):
        named = re.split(r" (?:AND|OR) ", expression)
    elif (text := told.get("License", "")) and "\n" not in text:
        named = [text]
    else:
        classifiers = told.get_all("Classifier", [])
        named = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License")]
    return {NAMED_OTHERWISE.get(name, name) for name in named} or {"none told"}


def test_command_without_its_extra(bare: Any) -> None:
    """Without its extra, the command says in one line how to install it."""
    done = bare.run("homebox", "--version")

    assert (2, "") == (done.returncode, done.stdout)
    assert (
        "error: the command line needs click and rich; run: pip install 'homebox-async[cli]'\n"
        == done.stderr
    )


def test_import_without_extras(bare: Any) -> None:
    """All but what is made for an extra's library can be imported bare, and says nothing."""
    program = """
import importlib, pkgutil
import homebox_async
testing = "homebox_async.testing"
needy = (
    "homebox_async.cli.",
    "homebox_async.otel",
    f"{testing}.plugin",
    f"{testing}.fixtures",
    f"{testing}.guard",
)
for module in pkgutil.walk_packages(homebox_async.__path__, "homebox_async."):
    if not module.name.startswith(needy) and "__main__" not in module.name:
        importlib.import_module(module.name)
print(homebox_async.__file__)
"""
    done = bare.run("python", "-W", "error", "-c", program)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(str(bare.folder))


def test_nothing_but_what_is_needed(bare: Any, project: dict[str, Any]) -> None:
    """Without extras, no dependency of an extra comes along."""
    optional = {
        canonicalize_name(Requirement(line).name)
        for extra in project["optional-dependencies"].values()
        for line in extra
    } - {"homebox-async"}

    assert set() == optional & set(bare.installed())


def test_command(full: Any, project: dict[str, Any], tmp_path: Path) -> None:
    """With its extra, the command imports rows into the emulator, and tells its version."""
    (tmp_path / "in.csv").write_text(
        "line1,city,postcode,reference\n"
        + "".join(f"{n} High Street,Leeds,LS1 1AA,A{n}\n" for n in range(1, 11))
    )
    version = full.run("homebox", "--version", cwd=tmp_path)
    done = full.run("homebox", "import", "properties", "in.csv", "--emulator", cwd=tmp_path)

    assert f"homebox, version {project['version']}\n" == version.stdout
    assert (0, 11) == (
        done.returncode,
        len((tmp_path / "in.created.csv").read_text().splitlines()),
    ), done.stderr


def test_types_are_seen(bare: Any, tmp_path: Path) -> None:
    """A type checker takes the types from the installed wheel: a wrong argument is an error."""
    (tmp_path / "use.py").write_text(USE)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache"),
            *("--python-executable", bare.folder / "bin/python", "use.py"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    told = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert [
        'note: Revealed type is "int | None"',
        'error: Argument "postcode" to "Address" has incompatible type "int"; expected "str"',
    ] == [line.partition("  [")[0] for line in told[:2]], done.stdout + done.stderr


def test_records(full: Any) -> None:
    """Every file of every installed distribution has the hash that its wheel promised."""
    wrong = []
    for name, distribution in full.installed().items():
        rows = list(csv.reader((distribution.read_text("RECORD") or "").splitlines()))
        assert rows, name
        for path, promised, _ in rows:
            if not promised:
                continue
            algorithm, _, value = promised.partition("=")
            found = sha256(Path(str(distribution.locate_file(path))).read_bytes()).digest()
            hashed = base64.urlsafe_b64encode(found).decode().rstrip("=")
            if (algorithm, value) != ("sha256", hashed):
                wrong.append((name, path))

    assert [] == wrong


def test_licences(full: Any) -> None:
    """Every dependency, however deep, is under a permissive licence."""
    told = {name: licences(found) - LICENCES for name, found in full.installed().items()}

    assert {} == {name: others for name, others in told.items() if others}
