"""Ids and paths: quoted whole, and none leads out of the API."""

from typing import Any

import pytest

from homebox_async import AsyncHomebox

from .examples import problems


@pytest.mark.parametrize(
    "value", ["", " ", ".", "..", " .. ", "a\nb", "a\x00", "\x7f", "\ud800"], ids=ascii
)
async def test_path_segments(server: Any, client: AsyncHomebox, value: str) -> None:
    """A value that could leave its segment is refused."""
    assert 1 == len(await problems(server, client.addresses.find(value)))


@pytest.mark.parametrize(
    "value",
    ["/", "a/b", "../..", "...", "%2e%2e", "a;b", "☃", "a b", "?x#y", "\\", "&="],
    ids=ascii,
)
async def test_one_segment(server: Any, client: AsyncHomebox, value: str) -> None:
    """Any other value stays one segment, exactly as it was given."""
    server.default = server.say(200, b'{"data": []}')
    await client.addresses.find(value)
    target = server.seen[0].target
    assert 6 == target.count("/") + (0 if target.isascii() else 99) + 1
    from urllib.parse import unquote

    assert value == unquote(target.rpartition("/")[2])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../x",
        "a//b",
        "//example.com/x",
        "https://example.com/x",
        "a?b=1",
        "a#b",
        "a\\b",
        "a b",
        "a\r\nHost: x",
        "é",
        "%2e%2e/x",
        "@example.com",
    ],
    ids=ascii,
)
async def test_paths_that_leave_the_api(server: Any, client: AsyncHomebox, path: str) -> None:
    """The escape hatch stays below the API's root."""
    assert ["path leaves the API"] == await problems(server, client.request("GET", path))
