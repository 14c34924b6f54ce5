"""`RunningEmulator`: an emulator in a thread of its own, for tests of every kind."""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from ..bridge import Bridge
from ..emulator import Emulator, Fault, Message, MessageKind, RateLimit, Received
from ..emulator.package_records import Order, Payer, Payment
from ..emulator.packages import Outcome
from .environment import environment
from .expectations import ExpectedMessage, ExpectedRequest, expect_no_message
from .paths import Method, full_path
from .seeding import Seed

R = TypeVar("R")


class RunningEmulator:
    """An emulator that sync tests, async tests, threads and other processes reach alike.

    ::

        with RunningEmulator() as emulator:
            home = emulator.seed.property()
            ...

    It listens on a free port of this machine; the fixture `homebox_emulator` is one for each
    test. `seed` makes what is there before the test. The methods may be called from any thread.
    `emulator`: one with other options that is not running yet, e.g. ``Emulator(assumed=...)``.
    """

    def __init__(self, emulator: Emulator | None = None) -> None:
        self._emulator = emulator or Emulator()
        self._bridge = Bridge()
        self._closed = False
        self.seed = Seed(self.do)

    def start(self) -> Self:
        """Listen; return self. Raises OSError when the port is taken."""
        try:
            self._bridge.run(self._emulator.start)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop listening and end all connections; what was received can still be read."""
        self._bridge.worker.close(self._emulator.aclose)
        self._closed = True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RunningEmulator {'closed' if self._closed else self.url}>"

    @property
    def url(self) -> str:
        """The origin: the `base_url` of Partner API clients."""
        return self._emulator.url

    @property
    def billing_url(self) -> str:
        """The `base_url` and `login_url` of Billing API clients."""
        return self._emulator.billing_url

    @property
    def token(self) -> str:
        """The token that it accepts."""
        return self._emulator.token

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead clients of both APIs here, HOMEBOX_BASE_URL and the others.

        For another process: ``subprocess.run(..., env=os.environ | emulator.environment)``.
        """
        emulator = self._emulator
        return environment(
            emulator.url, emulator.billing_url, emulator.token, emulator.billing_login
        )

    def do(self, work: Callable[[Emulator], R], /) -> R:
        """Do some work on the `Emulator` between two requests; return what `work` returns."""
        if self._closed:
            return work(self._emulator)

        async def on_its_loop() -> R:
            return work(self._emulator)

        return self._bridge.run(on_its_loop)

    # --- what goes wrong

    def fail(
        self,
        method: Method,
        path: str,
        *,
        status: int,
        retry_after: int | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next requests with this status; nothing is committed.

        `path`, here and below: "/property/7", or "/property/{property_id}" for every property;
        ValueError where the API has no such operation. `retry_after`: seconds, for the client.
        """
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.script(method, path, [Fault("status", status, headers=headers)] * times)

    def drop(self, method: Method, path: str, *, committed: bool, times: int = 1) -> None:
        """Drop the connection of the next requests, before or after they were carried out."""
        self.script(method, path, [Fault("drop-after" if committed else "drop-before")] * times)

    def hang(self, method: Method, path: str, *, committed: bool, times: int = 1) -> None:
        """Never answer the next requests, whether or not they were carried out."""
        self.script(method, path, [Fault("hang-after" if committed else "hang")] * times)

    def slow(self, method: Method, path: str, *, seconds: float, times: int = 1) -> None:
        """Let the next requests wait before they are carried out."""
        self.script(method, path, [Fault("slow", seconds=seconds)] * times)

    def limit(self, requests: int | None, *, per: float = 60.0) -> None:
        """Answer 429 to more than so many requests in `per` seconds; None lifts the limit."""
        rate_limit = None if requests is None else RateLimit(requests, per)

        def change(emulator: Emulator) -> None:
            emulator.rate_limit = rate_limit

        self.do(change)

    def script(self, method: Method, path: str, faults: Iterable[Fault | None]) -> None:
        """Let the next requests have these faults of any kind, one each; None is no fault."""
        whole, queue = full_path(method, path), list(faults)
        self.do(lambda emulator: emulator.script(method, whole, queue))

    # --- what happens at Homebox

    def activate(self, order_id: int) -> Order:
        """Let an order be approved and become active; its first payments are taken."""
        return self.do(lambda emulator: emulator.activate(order_id))

    def take_payments(self, order_id: int, outcome: Outcome = "success") -> list[Payment]:
        """Take the next payments of an order; suppliers are to be paid once all succeeded."""
        return self.do(lambda emulator: emulator.take_payments(order_id, outcome))

    def pay_suppliers(self, order_id: int) -> None:
        """Carry out the pending payouts of an order."""
        self.do(lambda emulator: emulator.pay_suppliers(order_id))

    def sign_up(self, invite_id: int) -> Payer:
        """Let an invited bill payer sign up: the invite disappears and a payer is there."""
        return self.do(lambda emulator: emulator.sign_up(invite_id))

    def set_mandate(self, payer_id: int, status: str) -> Payer:
        """Give a bill payer's mandate another status, as the bank would."""
        return self.do(lambda emulator: emulator.set_mandate(payer_id, status))

    # --- what came in, and what would have gone out

    @property
    def received(self) -> list[Received]:
        """The requests so far, oldest first, each with `method`, `template`, `json`, `status`."""
        return self.do(lambda emulator: list(emulator.received))

    @property
    def outbox(self) -> list[Message]:
        """What Homebox would have sent: SMS, emails, notices to suppliers and debits."""
        return self.do(lambda emulator: list(emulator.outbox))

    def assert_received(
        self,
        method: Method,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        times: int | None = None,
    ) -> list[Received]:
        """Return the requests that hold these fields; AssertionError where there are none.

        `json`: what the body must hold, at any depth; it may hold more, but lists are compared
        whole. `form`: the same for forms, whose values are texts. `times`: how many there must
        be; a call that was tried again has several.
        """
        return ExpectedRequest(method, path, json, form).of(self.received, times)

    def assert_not_received(self, method: Method, path: str) -> None:
        """Raise AssertionError if there was such a request."""
        self.assert_received(method, path, times=0)

    def assert_outbox(
        self,
        kind: MessageKind,
        *,
        to: str | None = None,
        about: str | None = None,
        times: int | None = None,
    ) -> list[Message]:
        """Return the messages of this kind; AssertionError where there are none.

        `to`: the phone number, email address or name; `about`: what caused it, as "lead/1".
        `times`: how many there must be.
        """
        return ExpectedMessage(kind, to, about).of(self.outbox, times)

    def assert_outbox_empty(self) -> None:
        """Raise AssertionError if Homebox would have sent anything to anybody."""
        expect_no_message(self.outbox)
