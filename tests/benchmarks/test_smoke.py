"""The benchmarks still run: tiny counts, no look at a timing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import neutral
from benchmarks.__main__ import groups
from benchmarks.check import check
from benchmarks.measuring import Effort
from benchmarks.page import page
from benchmarks.plots import draw
from benchmarks.report import Figures, target_of

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", groups())
def test_group(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each group measures something with tiny counts and prints a line for each figure."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        # Each case is a process: they share what the first of them has compiled.
        env=os.environ
        | {
            "PYTHONPYCACHEPREFIX": str(tmp_path_factory.getbasetemp().parent / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "",
        },
    )

    assert 0 == done.returncode, done.stderr
    title, *lines = done.stdout.strip().splitlines()
    assert groups()[name].TITLE == title
    assert lines


@pytest.mark.parametrize("nginx", [True, False], ids=["nginx", "plain"])
def test_neutral_server(nginx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """nginx and the plain server give the same answers; each created property has its own id."""
    import requests

    if nginx and neutral._nginx() is None:
        pytest.skip("nginx is not installed")
    if not nginx:
        monkeypatch.setattr(neutral, "_nginx", lambda: None)

    with neutral.neutral() as url, requests.Session() as session:
        one = session.get(f"{url}/api/partner/property/1").json()
        page = session.get(f"{url}/api/partner/lead").json()
        made = [session.post(f"{url}/api/partner/property", json={}).json() for _ in range(3)]
        lost = session.get(f"{url}/nothing").status_code

    assert 1 == one["data"]["id"]
    assert 50 == len(page["data"])
    assert 3 == len({answer["data"]["id"] for answer in made})
    assert 404 == lost


def _figures(ours: float) -> Figures:
    figures = Figures("python -m benchmarks", "a server")
    figures.begin("calls", "Calls")
    figures.ratio("a call over another", [ours, ours], [100.0, 100.0], at_most=1.10)
    figures.value("memory", [3.0], unit="MiB", at_most=4)
    figures.add("one thread", wall_us=12.0)
    figures.end()
    figures.begin("scaling", "Scaling")
    for kind in ("typed", "bare"):
        figures.curve(
            f"concurrency, {kind}",
            **{axis: [1.0, 10.0] for axis in ("in_flight", "cpu_us", "p50_ms", "p95_ms", "p99_ms")},
        )
    figures.curve("pages", pages=[1.0, 3.0], cpu_us_per_page=[5.0, 5.0], peak_mib=[40.0, 41.0])
    figures.curve("rows", rows=[1e3, 1e4], rows_per_s=[2e3, 2e3], peak_mib=[50.0, 59.0])
    figures.add("disk of a row", journal_bytes=180.0, results_bytes=250.0)
    figures.end()
    figures.begin("flame", "A call")
    figures.flame(["all calls", 1.0, [["homebox client: get", 0.5, []]]])
    figures.end()
    return figures


@pytest.mark.parametrize(
    ("ours", "words"),
    [(109.0, ", target <= 1.1: met"), (112.0, ", target <= 1.1: MISSED")],
    ids=["met", "missed"],
)
def test_verdict(ours: float, words: str) -> None:
    """A ratio is judged by its median against its target."""
    found = _figures(ours).groups["calls"]["ratios"]["a call over another"]

    assert words == target_of(found)


def test_page(tmp_path: Path) -> None:
    """The page says what the JSON holds; the same JSON gives the same page and plots."""
    stored = _figures(120.0).save(tmp_path / "performance.json")

    drawn = draw(stored["groups"], tmp_path / "plots")
    first = [(tmp_path / f"plots/{name}.svg").read_bytes() for name in drawn]
    draw(stored["groups"], tmp_path / "plots")
    text = page(stored["groups"], drawn)

    assert ["concurrency", "latency", "pages", "rows", "call"] == drawn
    assert first == [(tmp_path / f"plots/{name}.svg").read_bytes() for name in drawn]
    assert "| a call over another | 120 | 100 | CPU us | 1.20 |  | <= 1.1 | **missed** |" in text
    # A day of 100 a second is 8,640,000; and 9 MiB for 9,000 rows more.
    times, disk, memory = "116 days | 12 days | 28 h | 83 min", "1.8 GB | 2.5 GB", "10,049 MiB"
    assert f"| 10,000,000 | {times} | {disk} | {memory} |" in text


class _Group:
    """A group whose ratio is what it is told."""

    TITLE = "Calls"

    def __init__(self, *ours: float) -> None:
        self._ours = list(ours)

    def measure(self, figures: Figures, effort: Effort) -> None:
        """Note the next ratio."""
        ours = self._ours.pop(0)
        figures.ratio("a call over another", [ours], [100.0], at_most=1.10)


@pytest.mark.parametrize(
    ("measured", "code"),
    [((149.0,), 0), ((151.0, 120.0), 0), ((151.0, 160.0), 1)],
    ids=["noise", "one bad run", "worse"],
)
def test_check(measured: tuple[float, ...], code: int, tmp_path: Path) -> None:
    """The check fails for a ratio that is 1.5 x worse than committed, twice."""
    committed = tmp_path / "performance.json"
    _figures(100.0).save(committed)
    modules: dict[str, Any] = {"calls": _Group(*measured)}

    assert code == check(committed, modules, Figures("--check", "a server"))


def test_check_without_figures(tmp_path: Path) -> None:
    """Where nothing is committed there is nothing to check against."""
    assert 0 == check(tmp_path / "performance.json", {}, Figures("--check", "a server"))


def test_only_some_groups_are_replaced(tmp_path: Path) -> None:
    """Saving a part of the groups keeps the others."""
    path = tmp_path / "performance.json"
    _figures(100.0).save(path)
    again = Figures("python -m benchmarks --only calls --write", "a server")
    again.begin("calls", "Calls")
    again.ratio("a call over another", [90.0], [100.0])
    again.end()

    again.save(path)

    groups = json.loads(path.read_text())["groups"]
    assert 0.9 == groups["calls"]["ratios"]["a call over another"]["median"]
    assert "flame" in groups
