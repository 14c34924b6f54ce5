"""The guard: for a whole test session, no client without `base_url` finds the real service."""

import contextlib
import socket
import sys
import tempfile
from collections.abc import Iterator

import pytest

from .environment import environment

_HOST = "127.0.0.1"


class Guard:
    """Keeps one address of this machine for the session's emulators; the environment names it.

    So does whatever reads the environment once and for all, such as Django's settings and
    clients of modules. Between emulators nobody listens there.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._socket = _reserved(0)
        self._port: int = self._socket.getsockname()[1]
        url = f"http://{_HOST}:{self._port}"
        patch = pytest.MonkeyPatch()
        for name, value in environment(url, f"{url}/billing").items():
            patch.setenv(name, value)
        # What imports of the tests remember is not the user's.
        state = tempfile.TemporaryDirectory(prefix="homebox-state-")
        patch.setenv("HOMEBOX_STATE", state.name)
        config.add_cleanup(state.cleanup)
        config.add_cleanup(patch.undo)
        config.add_cleanup(lambda: self._socket.close())

    @contextlib.contextmanager
    def released(self) -> Iterator[int]:
        """Let an emulator have the address; give its port."""
        self._socket.close()
        try:
            yield self._port
        finally:
            self._socket = _reserved(self._port)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> None:
        """Say in a failed test what it lacks."""
        from ..errors import ConnectionFailed

        lacking = "homebox_emulator" not in getattr(item, "fixturenames", ())
        if lacking and call.excinfo and isinstance(call.excinfo.value, ConnectionFailed):
            call.excinfo.value.add_note(
                "homebox_guard is on: this test reaches no Homebox; let it use the fixture "
                "homebox_emulator"
            )


GUARD = pytest.StashKey[Guard]()


def begin(config: pytest.Config) -> None:
    """Set the guard up for the session of this configuration."""
    config.stash[GUARD] = guard = Guard(config)
    config.pluginmanager.register(guard, "homebox-guard")


def _reserved(port: int) -> socket.socket:
    # Bound and not listening: the system gives the port to nobody else, and refuses connections.
    reserved = socket.socket()
    if sys.platform != "win32":
        # The connections that an emulator has ended still count as a use of its port.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind((_HOST, port))
    return reserved
