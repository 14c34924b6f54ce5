"""The emulator: a stateful local Partner API for tests, examples and rehearsals.

It is started with ``async with Emulator() as emulator`` and talked to like the real service.
Nothing leaves the machine: what would have been sent to people is in ``emulator.outbox``.
"""

from .addresses import Address
from .assumed import Assumed
from .faults import Fault, Faults
from .outbox import Message, MessageKind
from .received import Received
from .server import Emulator
from .statelog import StateError, StateInUse
from .throttle import RateLimit

__all__ = [
    "Address",
    "Assumed",
    "Emulator",
    "Fault",
    "Faults",
    "Message",
    "MessageKind",
    "RateLimit",
    "Received",
    "StateError",
    "StateInUse",
]
