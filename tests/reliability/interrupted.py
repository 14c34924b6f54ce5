"""A program that is sent Ctrl-C while a sync call waits for one thing after the other.

It runs in a process of its own, with an emulator in a thread, and prints for each phase how long
it took from the signal to the KeyboardInterrupt, and what that says.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from homebox_async import Billing, Homebox, HomeboxError, Retry
from homebox_async.bridge import Bridge
from homebox_async.emulator import Emulator, Fault

CREATE = ("POST", "/api/partner/property")
ACCOUNT = ("GET", "/api/partner/account")
HOME = {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}

bridge, emulator = Bridge(), Emulator()
bridge.run(emulator.start)
told: dict[str, Any] = {}


def interrupt(phase: str, reached: Callable[[], bool], call: Callable[[], Any]) -> None:
    """Send a real SIGINT once a phase is reached, and note what comes of it."""
    sent: list[float] = []

    def send() -> None:
        end = time.monotonic() + 20
        while not reached() and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(0.05)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    notes: list[str] = ["not interrupted"]
    try:
        call()
        time.sleep(5)
    except KeyboardInterrupt as error:
        notes = [*getattr(error, "__notes__", [])]
    seconds = time.monotonic() - sent[0]
    thread.join()
    told[phase] = {"seconds": round(seconds, 4), "notes": notes}


def seen(path: str) -> Callable[[], bool]:
    """Tell when one more request for a path has come in."""
    before = emulator.counts.requests[path]
    return lambda: emulator.counts.requests[path] > before


def client(**options: Any) -> Homebox:
    """Return a client of the emulator."""
    return Homebox(emulator.token, base_url=emulator.url, **options)


def post(box: Homebox) -> Callable[[], Any]:
    """Return a call that creates a property."""
    return lambda: box.request("POST", "property", json=HOME)


with client() as box:
    emulator.script(*CREATE, [Fault.named("hang")])
    interrupt("answer", seen("POST /api/partner/property"), post(box))
    emulator.script("GET", "/api/partner/lead", [Fault.named("hang")])
    interrupt("list", seen("GET /api/partner/lead"), lambda: list(box.leads.list()))
    told["usable"] = box.account.get().name is not None

with client() as box:
    emulator.script(*CREATE, [Fault.named("429:30")])
    interrupt("retry", seen("POST /api/partner/property"), post(box))

with client(retry=Retry(attempts=1)) as box:
    emulator.script(*ACCOUNT, [Fault.named("429:30")])
    with contextlib.suppress(HomeboxError):
        box.account.get()
    interrupt("pause", lambda: True, post(box))

with client(max_connections=1) as box:
    emulator.script(*ACCOUNT, [Fault.named("hang")])
    occupied = seen("GET /api/partner/account")

    def occupy() -> None:
        """Hold the only place in the pool until the client is closed."""
        with contextlib.suppress(HomeboxError):
            box.account.get()

    other = threading.Thread(target=occupy)
    other.start()
    while not occupied():
        time.sleep(0.002)
    interrupt("slot", lambda: True, post(box))
    box.close()
    other.join()

login = ("POST", "/billing/users/authenticate")
prefix = emulator.billing_url.removeprefix(emulator.url)
with Billing(
    username=emulator.billing_login[0],
    password=emulator.billing_login[1],
    base_url=emulator.billing_url,
    login_url=emulator.billing_url,
) as billing:
    emulator.script("POST", f"{prefix}/users/authenticate", [Fault.named("hang")])
    interrupt("login", seen(f"POST {prefix}/users/authenticate"), lambda: billing.get(1))

told["properties"] = len(emulator.store.properties)
bridge.worker.close(emulator.aclose)
json.dump(told, sys.stdout)
