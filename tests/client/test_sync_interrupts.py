"""Ctrl-C in a sync call, step by step."""

import asyncio
import time
from typing import Any

import pytest

from homebox_async import ConnectionFailed, Outcome
from homebox_async import bridge as bridge_module
from homebox_async.bridge import Bridge


class Interrupting:
    """A lock whose acquiring is interrupted."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.times = 0

    def acquire(self, *args: Any, **kwargs: Any) -> Any:
        """Interrupt the first wait."""
        self.times += 1
        if self.times == 1:
            time.sleep(0.02)
            raise KeyboardInterrupt
        return self.lock.acquire(*args, **kwargs)

    def release(self) -> None:
        """Release."""
        self.lock.release()


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("ends", "the call had just succeeded"),
        ("fails", "ConnectionFailed"),
        ("hangs", "the call had not ended yet [outcome: unknown]"),
        ("quiet", "cancelled outside its requests"),
    ],
)
def test_notes_of_an_interrupt(kind: str, note: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a call takes its cancellation, the interrupt says what became of it."""
    monkeypatch.setattr(bridge_module, "_INTERRUPT_GRACE", 0.05)
    make = bridge_module._Call.__init__

    def interrupted(self: Any, *args: Any) -> None:
        make(self, *args)
        self.done = Interrupting(self.done)

    bridge = Bridge()
    bridge.run(lambda: asyncio.sleep(0))

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if kind == "fails":
                raise ConnectionFailed("ConnectionFailed", outcome=Outcome.UNKNOWN) from None
            if kind == "hangs":
                await asyncio.sleep(0.3)
            if kind == "quiet":
                raise

    with monkeypatch.context() as patch:
        patch.setattr(bridge_module._Call, "__init__", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            bridge.run(work)
    assert note in caught.value.__notes__[0]
    bridge.worker.close(lambda: asyncio.sleep(0))
