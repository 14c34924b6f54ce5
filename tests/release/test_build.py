"""The distributions: the same bytes from anywhere, and nothing in them that users do not need."""

import os
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]

Build = Callable[..., Any]
Copy = Callable[[Path], Path]

# What lies about where people work; none of it may be published.
LEFT_ABOUT = [
    "portfolio.csv",
    "portfolio.journal",
    "portfolio.created.csv",
    ".env",
    "homebox_async/__pycache__/client.cpython-311.pyc",
    "homebox-emulator.jsonl",
    "dist/homebox_async-0.0.1.tar.gz",
    "build/lib/homebox_async/old.py",
]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def metadata_of(wheel: Path) -> Metadata:
    """Return the metadata of a wheel; every field is validated."""
    with zipfile.ZipFile(wheel) as opened:
        [name] = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        return Metadata.from_email(opened.read(name), validate=True)


def test_same_bytes(released: Any, build: Build, copy_project: Copy, tmp_path: Path) -> None:
    """Another folder, umask, time zone, locale, hash seed and age of files change no byte."""
    source = copy_project(tmp_path / "other place/é")
    for place in LEFT_ABOUT:
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_text("not for others")
    for path in source.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    environment = {
        **os.environ,
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "77",
    }

    again = build(source, tmp_path / "dist", umask=0o077, env=environment)

    assert digest(released.sdist) == digest(again.sdist)
    assert digest(released.wheel) == digest(again.wheel)


def test_time_of_the_source(build: Build, copy_project: Copy, tmp_path: Path) -> None:
    """SOURCE_DATE_EPOCH is the time that the files bear."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}  # 2023-11-14 22:13:20 UTC
    made = build(copy_project(tmp_path / "source"), tmp_path / "dist", env=environment)

    with zipfile.ZipFile(made.wheel) as wheel, tarfile.open(made.sdist) as sdist:
        assert {(2023, 11, 14, 22, 13, 20)} == {entry.date_time for entry in wheel.infolist()}
        assert {1_700_000_000} == {member.mtime for member in sdist.getmembers()}


def test_wheel_of_the_sdist(
    released: Any, run_uv: Callable[..., str], copy_project: Copy, tmp_path: Path
) -> None:
    """The wheel from the source distribution is the wheel straight from the source."""
    source = copy_project(tmp_path / "source")
    run_uv("build", "--wheel", "-o", str(tmp_path / "direct"), str(source))
    [direct] = (tmp_path / "direct").glob("*.whl")

    assert digest(direct) == digest(released.wheel)


def test_files_of_the_wheel(
    released: Any, project: dict[str, Any], tracked: list[str], tmp_path: Path
) -> None:
    """The wheel holds the package, its marker of types and its licence, and nothing else."""
    information = f"homebox_async-{project['version']}.dist-info"
    with zipfile.ZipFile(released.wheel) as wheel:
        names = wheel.namelist()
        wheel.extractall(tmp_path)

    package = [path for path in tracked if path.startswith("homebox_async/")]
    about = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
    assert sorted([*package, *(f"{information}/{name}" for name in about)]) == sorted(names)
    assert "homebox_async/py.typed" in names
    assert {".json", ".py", ".typed"} == {Path(path).suffix for path in package}
    root = Path(__file__).parents[2]
    assert digest(root / "LICENSE") == digest(tmp_path / information / "licenses/LICENSE")


def test_files_of_the_sdist(released: Any, tracked: list[str]) -> None:
    """The source distribution holds what it takes to build the wheel, and the changelog."""
    with tarfile.open(released.sdist) as sdist:
        names = sorted(name.partition("/")[2] for name in sdist.getnames())
        owners = {(member.uid, member.gid, member.uname) for member in sdist.getmembers()}

    package = [path for path in tracked if path.startswith("homebox_async/")]
    others = ["LICENSE", "README.md", "docs/SECURITY.md", "docs/changelog.md", "pyproject.toml"]
    assert sorted([*package, *others, ".gitignore", "PKG-INFO"]) == names
    assert {(0, 0, "")} == owners


def test_metadata(released: Any, project: dict[str, Any]) -> None:
    """The metadata is valid and says what pyproject.toml says."""
    metadata = metadata_of(released.wheel)

    assert (project["name"], project["version"]) == (metadata.name, str(metadata.version))
    assert project["license"] == metadata.license_expression
    assert ["LICENSE"] == metadata.license_files
    assert project["requires-python"] == str(metadata.requires_python)
    assert "text/markdown" == metadata.description_content_type
    assert (Path(__file__).parents[2] / "README.md").read_text() == metadata.description


def test_index_takes_it(released: Any, run_uv: Callable[..., str]) -> None:
    """Twine finds nothing that a package index would refuse or could not show."""
    told = run_uv(
        *("tool", "run", "--with", "readme-renderer[md]", "twine", "check", "--strict"),
        *(str(released.wheel), str(released.sdist)),
    )

    assert 2 == told.count("PASSED"), told


def test_oldest_build_backend(
    run_uv: Callable[..., str], copy_project: Copy, tmp_path: Path
) -> None:
    """The oldest build backend that pyproject.toml admits makes the same metadata."""
    source = copy_project(tmp_path / "source")
    [required] = tomllib.loads((source / "pyproject.toml").read_text())["build-system"]["requires"]
    oldest = required.replace(">=", "==")
    (tmp_path / "oldest.txt").write_text(oldest)
    run_uv(
        *("build", "--wheel", "--build-constraints", str(tmp_path / "oldest.txt")),
        *("-o", str(tmp_path), str(source)),
    )
    [wheel] = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as opened:
        [built_by] = [name for name in opened.namelist() if name.endswith(".dist-info/WHEEL")]
        assert f"Generator: {oldest.replace('==', ' ')}" in opened.read(built_by).decode()
    metadata = metadata_of(wheel)
    assert ("MIT", ["LICENSE"]) == (metadata.license_expression, metadata.license_files)
