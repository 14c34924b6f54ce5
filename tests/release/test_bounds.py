"""What pyproject.toml promises: the oldest dependencies, and every Python that it names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

pytestmark = [pytest.mark.release, pytest.mark.timeout(1800)]

Install = Callable[..., Any]

# HOMEBOX_RELEASE_SUITE=whole runs all tests; these are the ones that meet the dependencies most.
FAST = [
    "tests/unit",
    "tests/resources",
    "tests/pricing",
    "tests/client/test_requests.py",
    "tests/client/test_outcomes.py",
    "tests/billing",
    "tests/importer/test_engine_send.py",
    "tests/importer/test_results.py",
    "tests/cli/test_cli_commands.py",
    "tests/cli/test_cli_operations.py",
]
# The layout of the help texts, which reference and outline hold, is that of the newest click.
NEWEST_ONLY = [
    "tests/cli/test_cli_help.py::test_reference_is_current",
    "tests/cli/test_cli_outline.py::test_outline_is_current",
    "tests/cli/test_cli_outline.py::test_same_help",
]


def bound(requirement: Requirement) -> Version:
    """Return the lower bound, which is all that a requirement may say."""
    [specifier] = requirement.specifier
    assert ">=" == specifier.operator, requirement
    return Version(specifier.version)


@pytest.fixture(scope="module")
def oldest(
    install: Install,
    released: Any,
    requirements: list[Requirement],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Return an environment with the tools of the tests and the oldest versions admitted."""
    # uv's `--resolution lowest-direct` takes the dependencies of a wheel for indirect ones.
    pins = tmp_path_factory.mktemp("pins") / "oldest.txt"
    pins.write_text("\n".join(f"{r.name}=={bound(r)}" for r in requirements))
    return install(f"{released.wheel}[dev]", "-c", str(pins))


def run_tests(environment: Any, copy_project: Callable[[Path], Path], folder: Path) -> None:
    """Run the tests against what is installed: the package is not beside them."""
    copy_project(folder)
    shutil.rmtree(folder / "homebox_async")
    whole = os.environ.get("HOMEBOX_RELEASE_SUITE") == "whole"
    skipped = [word for test in NEWEST_ONLY for word in ("--deselect", test)]
    chosen = ["tests", *skipped] if whole else FAST
    inner = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = environment.run(
        *("python", "-m", "pytest", "-q", "-n", os.environ.get("HOMEBOX_RELEASE_WORKERS", "2")),
        *("-p", "no:cacheprovider", *chosen),
        cwd=folder,
        env=inner,
    )
    assert 0 == done.returncode, done.stdout[-5000:] + done.stderr[-2000:]


def test_bounds_are_versions(oldest: Any, requirements: list[Requirement]) -> None:
    """Each lower bound is a version that can be installed, and not one that was withdrawn."""
    found = oldest.installed()

    assert {r.name: bound(r) for r in requirements} == {
        r.name: Version(found[canonicalize_name(r.name)].version) for r in requirements
    }
    assert [] == oldest.warnings


def test_oldest_dependencies(
    oldest: Any, copy_project: Callable[[Path], Path], tmp_path: Path
) -> None:
    """The tests pass with the oldest version of every dependency."""
    run_tests(oldest, copy_project, tmp_path / "project")


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_other_pythons(
    version: str,
    install: Install,
    released: Any,
    project: dict[str, Any],
    copy_project: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    """The tests pass on every Python that the classifiers name."""
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    environment = install(f"{released.wheel}[dev]", python=version)

    run_tests(environment, copy_project, tmp_path / "project")
