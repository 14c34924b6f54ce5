"""What a command talks to: the vendor's servers, another one, or an emulator of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import attrs
import click

from ..billing import AsyncBilling
from ..client import ENVIRONMENTS, AsyncHomebox, Environment
from ..errors import AuthenticationFailed, PermissionDenied, StatusError
from ..loops import run
from ..origin import is_loopback
from ..private_files import UnsafeFile, check_own
from . import tokens
from .config import Profile
from .text import say

if TYPE_CHECKING:
    from ..emulator import Emulator, Faults

T = TypeVar("T")

DEFAULT_STATE = Path("homebox-emulator.jsonl")


@attrs.frozen(kw_only=True)
class Connection:
    """What the connection options say; `run` does some work with a client of it."""

    emulator: bool
    emulator_state: Path | None
    faults: str | None
    seed: int | None
    environment: Environment | None
    base_url: str | None
    token_file: Path | None
    timeout: float
    profile: Profile = Profile()

    def __attrs_post_init__(self) -> None:
        if self.emulator:
            for option, value in {
                "--environment": self.environment,
                "--base-url": self.base_url,
                "--token-file": self.token_file,
            }.items():
                if value is not None:
                    raise click.UsageError(f"{option} means nothing with --emulator; give one")
            return
        for option, given in {
            "--emulator-state": self.emulator_state,
            "--faults": self.faults,
            "--seed": self.seed,
        }.items():
            if given is not None:
                raise click.UsageError(f"{option} means nothing without --emulator; add it")
        if self.environment is not None and self.base_url is not None:
            raise click.UsageError("--environment and --base-url both name a server; give one")

    def run(self, work: Callable[[AsyncHomebox], Coroutine[Any, Any, T]]) -> T:
        """Await some work with a ready client, in an event loop of its own."""

        async def session() -> T:
            async with self._client() as client:
                return await work(client)

        return run(session())

    def run_offline(self, work: Callable[[AsyncHomebox], Coroutine[Any, Any, T]]) -> T:
        """Await some work that sends nothing, with a client that could not."""

        async def session() -> T:
            async with AsyncHomebox("none", base_url="http://127.0.0.1:9") as client:
                return await work(client)

        return run(session())

    @property
    def host(self) -> str:
        """The name of the server."""
        try:
            return urlsplit(self._origin).hostname or self._origin
        except ValueError:  # no URL at all, which the client explains
            return self._origin

    @property
    def is_real(self) -> bool:
        """Whether what is written stays: neither an emulator nor the vendor's sandbox."""
        sandbox = urlsplit(ENVIRONMENTS["sandbox"]).hostname
        return not (self.emulator or self.host == sandbox or is_loopback(self.host))

    @property
    def _origin(self) -> str:
        return origin_of(self.environment, self.base_url, self.profile)

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncHomebox]:
        async with contextlib.AsyncExitStack() as stack:
            if self.emulator:
                emulator = await stack.enter_async_context(
                    emulated(self.emulator_state, self.faults, self.seed)
                )
                url, token = emulator.url, emulator.token
            else:
                url = self._origin
                token = tokens.needed(url, self.token_file, self.profile)
            yield await stack.enter_async_context(
                AsyncHomebox(token, base_url=url, timeout=self.timeout)
            )


def origin_of(environment: Environment | None, base_url: str | None, profile: Profile) -> str:
    """Return the server that is meant: typed, exported, or that of the profile, in this order."""
    if base_url is not None:
        return base_url
    if environment is not None:
        return ENVIRONMENTS[environment]
    of_profile = profile.base_url or ENVIRONMENTS[profile.environment or "production"]
    return os.environ.get("HOMEBOX_BASE_URL") or of_profile


@contextlib.asynccontextmanager
async def emulated(
    state: Path | None, faults: str | None = None, seed: int | None = None
) -> AsyncIterator[Emulator]:
    """Run an emulator in this process, with its state in a file."""
    from ..emulator import Emulator  # the server half of aiohttp, for those who use it

    if state is None:
        state = DEFAULT_STATE
        with told(state, "--emulator-state"):
            check_own(state)
    parsed = None if faults is None else parse_faults(faults, seed or 0)
    with told(state, "--emulator-state"):
        async with Emulator(
            token=secrets.token_hex(16), state=state, faults=parsed, seed=seed or 0
        ) as emulator:
            say(f"emulator: nothing leaves this machine; its state is in {state}", err=True)
            yield emulator


@attrs.frozen(kw_only=True)
class BillingConnection:
    """What the connection options of the Billing API say; see `Connection`."""

    emulator: bool
    emulator_state: Path | None
    base_url: str | None
    administrator_ids: str | None
    timeout: float
    profile: Profile = Profile()

    def __attrs_post_init__(self) -> None:
        if self.emulator and self.base_url is not None:
            raise click.UsageError("--base-url means nothing with --emulator; give one")
        if not self.emulator and self.emulator_state is not None:
            raise click.UsageError("--emulator-state means nothing without --emulator; add it")

    def run(self, work: Callable[[AsyncBilling], Coroutine[Any, Any, T]]) -> T:
        """Await some work with a ready client, in an event loop of its own."""

        async def session() -> T:
            async with contextlib.AsyncExitStack() as stack:
                options: dict[str, Any] = {"timeout": self.timeout}
                ids = self._administrators()
                if self.emulator:
                    emulator = await stack.enter_async_context(emulated(self.emulator_state))
                    username, password = emulator.billing_login
                    options.update(base_url=emulator.billing_url, login_url=emulator.billing_url)
                    options.update(username=username, password=password)
                    ids = ids or [1]
                else:
                    base_url, login_url = tokens.billing_urls(self.profile, self.base_url)
                    options.update(base_url=base_url, login_url=login_url)
                    options.update(tokens.stored_billing(self.profile, self.base_url))
                client = AsyncBilling(administrator_ids=ids, **options)
                return await work(await stack.enter_async_context(client))

        return run(session())

    def _administrators(self) -> list[int] | None:
        if self.administrator_ids is None:
            exported = os.environ.get("HOMEBOX_BILLING_ADMINISTRATOR_IDS")
            return None if exported else list(self.profile.billing.administrator_ids) or None
        words = self.administrator_ids.replace(",", ";").split(";")
        try:
            return [int(word) for word in words]
        except ValueError:
            raise click.UsageError(
                "--administrator-ids: holds what is no id; give whole numbers such as 1;2;3"
            ) from None


def parse_faults(text: str, seed: int) -> Faults:
    """Return the faults of an emulator, or refuse the option."""
    from ..emulator import Faults

    try:
        return Faults.parse(text, seed)
    except ValueError as error:
        raise click.UsageError(f"--faults: {error}") from None


@contextlib.contextmanager
def told(state: Path, option: str) -> Iterator[None]:
    """Tell what is wrong with the state file of an emulator as what is wrong with its option."""
    from ..emulator import StateError

    try:
        yield
    except StateError as error:
        raise click.UsageError(f"{option} {error}") from None
    except OSError as error:
        if error.filename != str(state):
            raise
        if isinstance(error, UnsafeFile):
            raise click.UsageError(f"{option} {state}: {error.strerror}") from None
        raise click.UsageError(
            f"{option} {state}: cannot be written ({error.strerror}); give another file"
        ) from None


async def account_name(client: AsyncHomebox) -> str:
    """Return how the account of the token calls itself."""
    try:
        account = await client.account.get()
    except (AuthenticationFailed, PermissionDenied):
        raise
    except StatusError:
        # A token may not be allowed to read its account and write all the same.
        return "an account that cannot be read"
    parts = (account.name, account.reference_number and f"({account.reference_number})")
    return " ".join(filter(None, parts)) or "an account without a name"
