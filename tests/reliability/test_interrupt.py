"""Ctrl-C in sync calls: at every step, and with real signals in every phase."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async import Address, Homebox, Retry, blocking
from homebox_async import bridge as bridge_module
from homebox_async.bridge import Bridge
from homebox_async.emulator import Assumed, Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator in a thread."""
    bridge, emulator = Bridge(), Emulator()
    bridge.run(emulator.start)
    yield emulator
    bridge.worker.close(emulator.aclose)


@pytest.fixture
def box(emulator: Emulator) -> Iterator[Homebox]:
    """Return a sync client of the emulator, whose thread runs already."""
    with Homebox(emulator.token, base_url=emulator.url, retry=Retry(backoff=0.0)) as box:
        box.account.get()
        yield box


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line that this thread runs in the sync bridge.

    Python raises it between any two steps; a line is as near as a test can choose.
    """

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        """Look at one step: the function that `sys.settrace` takes."""
        if frame.f_code.co_filename not in (blocking.__file__, bridge_module.__file__):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self

    def run(self, call: Callable[[], Any]) -> Any:
        """Make the call with the interrupt."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return call()
        finally:
            sys.settrace(before)


def test_a_call_at_every_step(emulator: Emulator, box: Homebox) -> None:
    """Wherever Ctrl-C comes, it tells what the call did, or nothing has been sent."""
    at, told = 0, set()
    while True:
        at += 1
        interrupt = Interrupt(at)
        address = Address(line1=f"{at} High St", city="Leeds", postcode="LS1 1AA")
        create = functools.partial(box.properties.create, property_reference=f"R{at}")
        try:
            interrupt.run(functools.partial(create, address))
            break
        except KeyboardInterrupt as error:
            notes = getattr(error, "__notes__", [])
        assert set() == box._bridge.worker._calls
        box.account.get()  # the client goes on, and what was cancelled has come to its end
        there = any(f"R{at}" == home.reference for home in emulator.store.properties)
        said = {"succeeded": there, "[outcome: unknown]": there or None, "not sent]": False}
        expected = [truth for words, truth in said.items() if any(words in n for n in notes)]
        assert (notes and expected) or not there, (at, notes)
        assert all(truth is None or truth == there for truth in expected), (at, notes)
        told.update(notes)
    print(f"{at - 1} steps: {sorted(told)}")
    assert at > 15
    assert any("just succeeded" in note for note in told)
    assert any("not sent" in note for note in told)


@pytest.mark.parametrize("prefetch", [0, 3])
def test_a_list_at_every_step(prefetch: int) -> None:
    """Who catches Ctrl-C in a list and goes on page by page misses nothing, and nothing twice."""
    bridge, emulator = Bridge(), Emulator(assumed=Assumed(property_page_size=2))
    bridge.run(emulator.start)
    with Homebox(emulator.token, base_url=emulator.url) as box:
        homes = [
            box.properties.create(
                Address(line1=f"{n} High St", city="Leeds", postcode="LS1 1AA"),
                property_reference=f"R{n}",
            ).id
            for n in range(5)
        ]
        at, interrupted = 0, True
        while interrupted:
            at, interrupted = at + 1, False
            interrupt, found = Interrupt(at), []
            pages = box.properties.list(prefetch=prefetch).pages()
            while True:
                try:
                    page = interrupt.run(lambda pages=pages: next(pages, None))
                except KeyboardInterrupt:
                    interrupted = True
                    continue
                if page is None:
                    break
                found += [home.id for home in page.items]
            assert homes == found, at
    bridge.worker.close(emulator.aclose)
    print(f"{at - 1} steps")
    assert at > 40


PHASES = {
    "answer": "POST property: cancelled [outcome: unknown]",
    "retry": "POST property: cancelled before another attempt [outcome: rejected]",
    "list": "GET lead: cancelled [outcome: unknown]",
    "pause": "POST property: cancelled [outcome: not sent]",
    "slot": "POST property: cancelled [outcome: not sent]",
    "login": "GET Billing/{billing_id}: cancelled [outcome: not sent]",
}


@pytest.fixture(scope="module")
def told() -> Any:
    """Run the program that is interrupted in all phases, and return what it tells."""
    program = Path(__file__).with_name("interrupted.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)], capture_output=True, text=True, timeout=50
    )
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


@pytest.mark.parametrize("phase", PHASES)
def test_a_signal(told: Any, phase: str) -> None:
    """A real Ctrl-C comes out at once, whatever is waited for, and says what the call did."""
    print(phase, told[phase])
    assert [PHASES[phase]] == told[phase]["notes"]
    assert told[phase]["seconds"] < 5


def test_after_the_signals(told: Any) -> None:
    """The client goes on, and what was called not sent has done nothing."""
    assert (True, 0) == (told["usable"], told["properties"])
