"""What the release's tests share: the distributions, and environments of their own for them."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
# What the command in docs/SECURITY.md says.
PINNED_BUILD = ("--build-constraints", str(ROOT / ".ci/build-constraints.txt"))

RunUv = Callable[..., str]


@attrs.frozen
class Distributions:
    """A wheel and a source distribution."""

    wheel: Path
    sdist: Path

    @classmethod
    def within(cls, folder: Path) -> "Distributions":
        """Return what a build has left in a folder."""
        [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
        return cls(wheel, sdist)


@attrs.frozen
class Environment:
    """A virtual environment, and the warnings that came with what was installed into it."""

    folder: Path
    warnings: list[str] = attrs.field(factory=list)

    def run(self, *command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run a program of it, in its folder if nothing else is said."""
        program, *rest = command
        return subprocess.run(
            [self.folder / "bin" / program, *rest],
            **{"capture_output": True, "text": True, "cwd": self.folder, **options},
        )

    def installed(self) -> dict[str, Distribution]:
        """Return all that is installed in it, by its normalised name."""
        [packages] = self.folder.glob("lib/python*/site-packages")
        return {canonicalize_name(d.name): d for d in distributions(path=[str(packages)])}


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    """Return the `project` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.fixture(scope="session")
def extras(project: dict[str, Any]) -> list[str]:
    """Return the extras that are made for users."""
    return sorted(set(project["optional-dependencies"]) - {"bench", "dev", "docs"})


@pytest.fixture(scope="session")
def requirements(project: dict[str, Any], extras: list[str]) -> list[Requirement]:
    """Return what the package and the extras for users need."""
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


@pytest.fixture(scope="session")
def run_uv() -> RunUv:
    """Return what runs uv and gives its words, from both of its streams."""
    uv = pytest.importorskip("uv").find_uv_bin()

    def run(*args: str, **options: Any) -> str:
        done = subprocess.run(
            [uv, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **{"cwd": ROOT, **options},
        )
        assert 0 == done.returncode, done.stdout
        return done.stdout

    return run


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Return the paths of all files of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).exists()]


@pytest.fixture(scope="session")
def copy_project(tracked: list[str]) -> Callable[[Path], Path]:
    """Return what copies the files of the project to another place."""

    def copy(to: Path) -> Path:
        for path in tracked:
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, to / path)
        return to

    return copy


@pytest.fixture(scope="session")
def build(run_uv: RunUv) -> Callable[..., Distributions]:
    """Return what builds a source distribution, and the wheel from that."""

    def make(source: Path, to: Path, **options: Any) -> Distributions:
        run_uv("build", *PINNED_BUILD, "-o", str(to), str(source), **options)
        return Distributions.within(to)

    return make


@pytest.fixture(scope="session")
def released(
    build: Callable[..., Distributions],
    copy_project: Callable[[Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Distributions:
    """Return what a release would consist of."""
    folder = tmp_path_factory.mktemp("release")
    return build(copy_project(folder / "source"), folder / "dist")


@pytest.fixture(scope="session")
def install(run_uv: RunUv, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Environment]:
    """Return what makes an environment and installs into it."""

    def make(*args: str, python: str = "3.11") -> Environment:
        made = Environment(tmp_path_factory.mktemp("environment"))
        folder = str(made.folder)
        run_uv("venv", "--no-python-downloads", "--clear", "-p", _interpreter(python), folder)
        told = run_uv("pip", "install", "--python", folder, *args).splitlines()
        made.warnings.extend(line for line in told if line.startswith("warning"))
        return made

    return make


def _interpreter(version: str) -> str:
    """Return an interpreter of a version, or skip."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for path in (shutil.which(f"python{version}"), *managed.glob(f"{version}.*/bin/python")):
        # pyenv's stand-ins are on the path even of versions that they refuse to run.
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return str(path)
    pytest.skip(f"there is no Python {version} on this machine")
