"""A typed call through the whole client, beside bare aiohttp doing the same exchange.

Everything that is on by default is on: retry, deadline, throttle, hooks. Ten calls in flight.
"""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.measuring import Effort, Samples, alternate_async, in_flight, joined
from benchmarks.neutral import neutral
from benchmarks.payloads import LEAD, PROPERTY
from benchmarks.process import in_process
from benchmarks.report import Figures

NAME = "calls"
TITLE = "Typed calls over bare aiohttp"
IN_FLIGHT = 10
HEADERS = {"Authorization": "Bearer bench", "Accept": "application/json"}


def measure(figures: Figures, effort: Effort) -> None:
    """Measure a GET, a POST and a large page, a process for each two rounds of each.

    Where the heap of a process happens to lie decides whether asyncio's receive buffers are mapped
    anew for each answer: bare aiohttp takes 66 or 89 us for the same GET, one process or the next.
    """
    with neutral() as url:
        cases = {
            name: joined(
                in_process(
                    __name__,
                    "case",
                    name=name,
                    url=url,
                    rounds=2,
                    count=effort.count(full, least=40),
                )
                for _ in range(effort.rounds)
            )
            for name, full in (("get", 3_000), ("post", 3_000), ("page", 700))
        }
    get, post, page = cases["get"], cases["post"], cases["page"]
    figures.ratio(
        "typed GET over aiohttp get + read", get["ours"]["cpu"], get["read"]["cpu"], at_most=1.10
    )
    figures.ratio(
        "typed GET over aiohttp get + json()", get["ours"]["cpu"], get["json"]["cpu"], at_most=0.95
    )
    figures.ratio(
        "typed POST over aiohttp post(json=) + read",
        post["ours"]["cpu"],
        post["read"]["cpu"],
        at_most=1.10,
    )
    figures.ratio(
        "page of 50 leads, typed, over aiohttp get + json()",
        page["ours"]["cpu"],
        page["json"]["cpu"],
    )


def case(name: str, url: str, rounds: int, count: int) -> Samples:
    """Measure one of the cases in this process."""
    contest = {"get": _get, "post": _post, "page": _page}[name]
    return asyncio.run(contest(url, rounds, count))


async def _get(url: str, rounds: int, count: int) -> Samples:
    import aiohttp

    from homebox_async import AsyncHomebox

    async with (
        AsyncHomebox("bench", base_url=url) as client,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):

        async def ours() -> Any:
            return await client.properties.get(1)

        return await _against_aiohttp(ours, session, f"{url}{PROPERTY}/1", rounds, count)


async def _page(url: str, rounds: int, count: int) -> Samples:
    import aiohttp

    from homebox_async import AsyncHomebox

    async with (
        AsyncHomebox("bench", base_url=url) as client,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):

        async def ours() -> Any:
            return await anext(client.leads.list().pages())

        return await _against_aiohttp(ours, session, f"{url}{LEAD}", rounds, count)


async def _against_aiohttp(
    ours: Any, session: Any, address: str, rounds: int, count: int
) -> Samples:
    async def read() -> bytes:
        async with session.get(address) as answer:
            found: bytes = await answer.read()
            return found

    async def json() -> Any:
        async with session.get(address) as answer:
            return await answer.json()

    calls = {"ours": ours, "read": read, "json": json}
    return await alternate_async(
        {name: in_flight(call, IN_FLIGHT) for name, call in calls.items()},
        rounds=rounds,
        count=count,
    )


async def _post(url: str, rounds: int, count: int) -> Samples:
    import aiohttp

    from homebox_async import Address, AsyncHomebox

    number = 0

    async with (
        AsyncHomebox("bench", base_url=url) as client,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):

        async def ours() -> Any:
            nonlocal number
            number += 1
            return await client.properties.create(
                Address(
                    line1=f"{number} Test Lane",
                    line2="",
                    city="London",
                    county="Greater London",
                    postcode="EC1V 2NX",
                ),
                property_reference=f"REF-{number}",
            )

        async def read() -> bytes:
            nonlocal number
            number += 1
            body = {
                "address": {
                    "line1": f"{number} Test Lane",
                    "line2": "",
                    "city": "London",
                    "county": "Greater London",
                    "postcode": "EC1V 2NX",
                },
                "property_reference": f"REF-{number}",
            }
            async with session.post(f"{url}{PROPERTY}", json=body) as answer:
                return await answer.read()

        return await alternate_async(
            {"ours": in_flight(ours, IN_FLIGHT), "read": in_flight(read, IN_FLIGHT)},
            rounds=rounds,
            count=count,
        )
