"""What the blocks of the documentation run against."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from homebox_async.bridge import Bridge
from homebox_async.emulator import Address, Emulator

from .blocks import ROOT
from .runner import Runner


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Run an emulator with two homes in a thread, and point the environment at it."""
    bridge = Bridge()
    emulator = Emulator()
    bridge.run(emulator.start)
    for number in (1, 2):
        emulator.store.add_property(
            Address(
                line1=f"{number} Test Lane",
                line2=None,
                city="London",
                county=None,
                postcode="EC1V 2NX",
            ),
            reference=f"T-{number}",
        )
    emulator.seed_billing(
        "2eff1042c50c1eda889e61573e3c194c", dt.date(2019, 10, 1), dt.date(2020, 9, 30)
    )
    username, password = emulator.billing_login
    for name, value in {
        "URL": emulator.billing_url,
        "LOGIN_URL": emulator.billing_url,
        "USERNAME": username,
        "PASSWORD": password,
        "ADMINISTRATOR_IDS": "1",
    }.items():
        monkeypatch.setenv(f"HOMEBOX_BILLING_{name}", value)
    monkeypatch.setenv("HOMEBOX_BASE_URL", emulator.url)
    monkeypatch.setenv("HOMEBOX_TOKEN", emulator.token)
    yield emulator
    bridge.worker.close(emulator.aclose)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder that has the sample data, with a home that is empty too."""
    work = tmp_path / "work"
    (work / "tests").mkdir(parents=True)
    (work / "tests/data").symlink_to(ROOT / "tests/data")
    monkeypatch.chdir(work)
    for name, place in {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".data"}.items():
        monkeypatch.setenv(name, str(tmp_path / "home" / place))
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    return work


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """Keep a warm process that runs blocks."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", Path(__file__).with_name("warm.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    ) as process:
        yield Runner(process)
        assert process.stdin is not None
        process.stdin.close()
