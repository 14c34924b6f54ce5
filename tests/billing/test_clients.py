"""What the clients of both services share: views, the sync twins, and renamed fields."""

import gc
import inspect
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from homebox_async import AsyncHomebox, Homebox, Model
from homebox_async.billing import AsyncBilling, Billing
from homebox_async.blocking import BlockingDownload
from homebox_async.codec import decode, decode_list
from homebox_async.models import Answer, Unreadable, model, renamed
from homebox_async.origin import split_base
from homebox_async.resources.billing import BillingHeader


async def test_a_view_that_goes_closes_nothing(
    homebox: tuple[AsyncHomebox, list[web.Request]],
) -> None:
    """A view is dropped after its call; the client's connection serves the next one."""
    client, seen = homebox

    await client.account.get()
    await client.with_options(deadline=5.0).account.get()
    gc.collect()
    await client.account.get()

    assert (3, 1) == (len(seen), len({request.transport for request in seen}))


async def test_a_view_keeps_its_client(
    homebox: tuple[AsyncHomebox, list[web.Request]],
) -> None:
    """A client that only a view still holds is not taken for forgotten."""
    client, seen = homebox
    view = AsyncHomebox("t", base_url=client.base_url, proxy="").with_options(deadline=5.0)

    gc.collect()
    await view.account.get()
    await view.aclose()

    assert 1 == len(seen)


def test_a_sync_view_keeps_its_client() -> None:
    """The sync client behaves the same."""
    view = Homebox("t", base_url="http://127.0.0.1:9").with_options(deadline=5.0)

    gc.collect()

    assert view._leave.alive
    view.close()


@pytest.mark.parametrize("name", ["headers", "get", "document"])
def test_sync_twins(name: str) -> None:
    """Each sync method is made of the async one, with its words and its signature."""
    twin, method = getattr(Billing, name), getattr(AsyncBilling, name)

    assert method is twin.__wrapped__
    assert (inspect.signature(method), method.__doc__) == (inspect.signature(twin), twin.__doc__)


def test_the_same_arguments() -> None:
    """Both clients take the same arguments."""
    assert inspect.signature(AsyncBilling) == inspect.signature(Billing)


def test_the_same_words() -> None:
    """Nothing public is missing from the sync side, but what only asyncio has."""
    only_async = {"aclose"}
    only_sync = {"close"}

    expected = {name for name in dir(AsyncBilling) if name[0] != "_"} - only_async
    assert expected == {name for name in dir(Billing) if name[0] != "_"} - only_sync
    assert hasattr(BlockingDownload, "save")


@model
class Plain(Model):
    """A class that msgspec reads."""

    id: int | None = None


@model
class Holder(Model):
    """A class that holds one with renamed fields, and is not renamed itself."""

    header: BillingHeader | None = None
    headers: tuple[BillingHeader, ...] = ()


@model
class Renamed(Model):
    """A class that takes another's name for one of its fields."""

    a: int | None = renamed("b")
    b: int | None = renamed("a")


def test_renamed_fields_below() -> None:
    """Renamed fields are found wherever they stand."""
    body = b'{"data": {"header": {"propertyUUId": "x"}, "headers": [{"propertyUUId": "y"}]}}'

    made = decode(body, Holder)

    assert Holder(
        header=BillingHeader(property_uuid="x"), headers=(BillingHeader(property_uuid="y"),)
    ) == (made)
    assert ({}, {"propertyUUId": "y"}) == (made.extra, made.headers[0].raw)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9) | st.just("x")))
def test_renamed_fields(tree: dict[str, Any]) -> None:
    """Every value shows under its Python name or in `extra`, never both and never elsewhere."""
    text = repr(tree).replace("'", '"')

    if not tree.keys() & {"a", "b"}:  # of the class nothing came
        with pytest.raises(Unreadable):
            decode_list(f'{{"data": [{text}]}}'.encode(), Renamed)
        return

    ((made,), _, _) = decode_list(f'{{"data": [{text}]}}'.encode(), Renamed)

    numbers = {key: value for key, value in tree.items() if value != "x"}
    assert (numbers.get("b"), numbers.get("a")) == (made.a, made.b)
    rest = {key: value for key, value in tree.items() if key == "c" or value == "x"}
    assert rest == made.extra


def test_classes_without_renamed_fields_are_read_as_before() -> None:
    """The fast path has no part in this."""
    made = decode(b'{"data": {"id": 1}}', Plain)

    assert isinstance(made._source, Answer)  # as the fast path leaves it
    assert Plain(id=1) == made


@pytest.mark.parametrize(
    ("url", "origin", "root"),
    [
        pytest.param("https://a.be/api/v1", "https://a.be", "/api/v1", id="root"),
        pytest.param("https://a.be/api/v1/", "https://a.be", "/api/v1", id="slash at the end"),
        pytest.param("https://a.be", "https://a.be", "", id="no root"),
        pytest.param("https://a.be:8443/x y", "https://a.be:8443", "/x%20y", id="quoted"),
        pytest.param("https://u@a.be/x?k=1#f", "https://u@a.be?k=1#f", "/x", id="rest stays"),
        pytest.param("nowhere", "nowhere", "", id="no URL"),
    ],
)
def test_split_base(url: str, origin: str, root: str) -> None:
    """A base URL is an origin and a root path; what is neither stays where it is refused."""
    found = split_base(url)

    assert (origin, root) == (found[0].replace("/?", "?").removesuffix("/"), found[1])
