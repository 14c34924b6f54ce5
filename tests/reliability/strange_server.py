"""An independent server of the calls that imports make, and the ways in which it may be odd.

It shares no code with the package or its emulator, so that it does not share their assumptions:
what a document leaves open is drawn from a seed. Its log of commits is the one truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
from aiohttp import web

TOKEN = "strange-token"
PARTNER = 7

Home = dict[str, Any]


@attrs.frozen
class Quirks:
    """How a server differs; the defaults are those of a harmless one."""

    page_size: int = 20
    order: str = "oldest first"
    meta: str = "none"
    envelope: str = "list"
    q: str = "address"
    reference: str = "whole"
    address: str = "as sent"
    lag: float = 0.0
    capped: bool = False
    strangers: bool = False
    inserts: float = 0.0
    deletes: float = 0.0
    swaps: float = 0.0
    ids: str = "numbers"
    totals: str = "numbers"
    created: str = "whole"
    dates: str = "utc midnight"
    readings: str = "text"
    unique_reference: bool = False
    other_id: float = 0.0
    after_commit: tuple[tuple[str, float], ...] = ()
    before_commit: tuple[tuple[str, float], ...] = ()

    @property
    def told(self) -> str:
        """What differs from a harmless server."""
        differs = attrs.asdict(self, filter=lambda field, value: value != field.default)
        return ", ".join(f"{name}={value}" for name, value in differs.items()) or "harmless"


VARIANTS: dict[str, tuple[Any, ...]] = {
    "page_size": (1, 3, 7, 50),
    "order": ("newest first", "ties move"),
    "meta": ("whole", "total only", "last page only"),
    "envelope": ("keyed", "keyed from page 2", "nested"),
    "q": ("without postcodes", "case-sensitive", "ignored", "nothing"),
    "reference": ("lower case", "shortened"),
    "address": ("upper case", "street", "four lines", "respaced", "corrected"),
    "lag": (0.1, 0.3),
    "capped": (True,),
    "strangers": (True,),
    "inserts": (0.3,),
    "deletes": (0.2,),
    "swaps": (0.3,),
    "ids": ("text",),
    "totals": ("text",),
    "created": ("without id", "empty"),
    "dates": ("london", "day", "british"),
    "readings": ("decimals", "number"),
    "unique_reference": (True,),
    "other_id": (0.1,),
    "after_commit": (
        (("drop", 0.15),),
        (("500", 0.15),),
        (("503", 0.15),),
        (("502", 0.1), ("504", 0.1)),
        (("garbage", 0.15),),
        (("hang", 0.05), ("drop", 0.1)),
        (("422", 0.1), ("drop", 0.1)),
    ),
    "before_commit": ((("drop", 0.1),), (("503", 0.1),), (("429", 0.05), ("500", 0.05))),
}


ALONE = [(name, value) for name, values in VARIANTS.items() for value in values]
"""The servers that differ in one thing, by seed."""


def drawn(seed: int) -> Quirks:
    """Return the server of a seed: each variant once alone with faults, then in combinations."""
    chance = random.Random(seed)
    chosen: dict[str, Any] = {
        # Without a lost answer, a look-up is never needed.
        "after_commit": chance.choice(VARIANTS["after_commit"]),
        "before_commit": chance.choice(((), *VARIANTS["before_commit"])),
    }
    if seed < len(ALONE):
        chosen.update([ALONE[seed]])
    else:
        for name in chance.sample(sorted(VARIANTS), chance.randint(2, 5)):
            chosen[name] = chance.choice(VARIANTS[name])
    return Quirks(**chosen)


@attrs.define(eq=False)
class Item:
    """Something that the server holds: what was sent, when it shows, and whose it is."""

    id: int
    sent: dict[str, Any]
    shows_at: float
    ours: bool = True
    tie: float = 0.0


@attrs.define(eq=False)
class StrangeServer:
    """The server; `commits` is the log of what was done for requests, by kind and in order."""

    quirks: Quirks
    seed: int
    url: str = ""
    items: dict[str, list[Item]] = attrs.field(factory=lambda: {k: [] for k in KINDS})
    commits: list[tuple[str, Item]] = attrs.field(factory=list)
    posts: int = 0
    calm: bool = False
    _chance: random.Random = attrs.field(init=False)
    _next: int = 101

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[StrangeServer]:
        """Serve on a port of this machine until the block is left."""
        app = web.Application(middlewares=[self._guarded], client_max_size=1 << 24)
        base = "/api/partner"
        for kind in ("property", "lead"):
            app.router.add_get(f"{base}/{kind}", self._list(kind))
            app.router.add_get(f"{base}/{kind}/{{id}}", self._get(kind))
        for kind in ("property", "lead", "void"):
            app.router.add_post(f"{base}/{kind}", self._create(kind))
        app.router.add_get(f"{base}/property/{{home}}/readings", self._list("reading"))
        app.router.add_post(f"{base}/property/{{home}}/readings", self._create("reading"))
        app.router.add_get(f"{base}/account", self._account)
        app.router.add_get(f"{base}/order", self._no_orders)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def hold(self, kind: str, sent: dict[str, Any], *, ours: bool = True) -> Item:
        """Hold something that no request of the import under test has made."""
        item = Item(self._next, sent, 0.0, ours, self._chance.random())
        self._next += 1
        self.items[kind].append(item)
        return item

    # --- requests

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Unauthenticated."}, status=401)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _account(self, request: web.Request) -> web.Response:
        return web.json_response({"data": {"name": "Ours", "reference_number": "OURS-1"}})

    async def _no_orders(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [], "meta": {"order_count": 0}})

    def _get(self, kind: str) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            for item in self.items[kind]:
                if str(item.id) == request.match_info["id"]:
                    return web.json_response({"data": self._shown(kind, item)})
            return web.json_response({"message": "Not found."}, status=404)

        return handler

    def _create(self, kind: str) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.posts += 1
            if kind == "reading":
                sent = {name: str(value) for name, value in (await request.post()).items()}
                sent["property_id"] = request.match_info["home"]
            else:
                sent = json.loads(await request.text())
            fault = self._drawn(self.quirks.before_commit)
            if fault:
                return await self._faulty(request, fault)
            if kind == "property" and self._is_taken(sent.get("property_reference")):
                errors = {"property_reference": ["The reference has already been taken."]}
                return web.json_response({"message": "Invalid.", "errors": errors}, status=422)
            item = self.hold(kind, sent)
            item.shows_at = asyncio.get_running_loop().time() + self.quirks.lag
            self.commits.append((kind, item))
            fault = self._drawn(self.quirks.after_commit)
            if fault:
                return await self._faulty(request, fault)
            shown = self._shown(kind, item)
            if len(self.commits) > 1 and self._drawn((("other id", self.quirks.other_id),)):
                shown["id"] = type(shown["id"])(self.commits[-2][1].id)
            if self.quirks.created == "empty":
                return web.Response(status=201)
            if self.quirks.created == "without id":
                del shown["id"]
            body = shown if kind == "reading" else {"data": shown}
            return web.json_response(body, status=201)

        return handler

    def _is_taken(self, reference: str | None) -> bool:
        if not self.quirks.unique_reference or not reference:
            return False
        homes = (each.sent for each in self.items["property"] if each.ours)
        return any(reference == sent.get("property_reference") for sent in homes)

    def _drawn(self, rates: tuple[tuple[str, float], ...]) -> str:
        number = 1.0 if self.calm else self._chance.random()
        for name, rate in rates:
            if number < rate:
                return name
            number -= rate
        return ""

    async def _faulty(self, request: web.Request, fault: str) -> web.StreamResponse:
        if fault in ("drop", "hang"):
            await asyncio.sleep(0.7 if fault == "hang" else 0.0)
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if fault == "garbage":
            return web.Response(text="<html>", status=201, content_type="application/json")
        if fault == "422":
            return web.json_response({"message": "Invalid.", "errors": {}}, status=422)
        headers = {"Retry-After": "1"} if fault in ("429", "503") else {}
        return web.Response(text="<html>", status=int(fault), headers=headers)

    # --- lists

    def _list(self, kind: str) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            number = int(request.query.get("page", "1"))
            self._disturb(kind)
            now = asyncio.get_running_loop().time()
            held = [each for each in self.items[kind] if each.shows_at <= now]
            if kind == "reading":
                home = request.match_info["home"]
                held = [each for each in held if each.sent["property_id"] == home]
            if kind == "property":
                held = [each for each in held if self._matches(each, request.query.get("q", ""))]
            self._sort(held)
            size = self.quirks.page_size
            pages = max(1, -(-len(held) // size))
            page = held[(number - 1) * size : number * size]
            if self.quirks.capped and number > 2:
                page = []
            shown = [self._shown(kind, each) for each in page]
            body: dict[str, Any] = {"data": self._enveloped(shown, number)}
            meta = {"total": len(held), "last_page": pages, "current_page": number}
            told = {
                "whole": ("total", "last_page", "current_page"),
                "total only": ("total",),
                "last page only": ("last_page",),
            }.get(self.quirks.meta, ())
            if kind == "lead" and self.quirks.meta == "none":
                told = ("total", "last_page", "current_page")  # as its document shows
            if told:
                write = str if self.quirks.totals == "text" else int
                body["meta"] = {name: write(meta[name]) for name in told}
            return web.json_response(body)

        return handler

    def _sort(self, held: list[Item]) -> None:
        if self.quirks.order == "newest first":
            held.reverse()
        elif self.quirks.order == "ties move":
            # One second holds all of them: each request orders them as it likes.
            self._chance.shuffle(held)

    def _disturb(self, kind: str) -> None:
        """Do what other users of the account do while the list is read."""
        if self.calm or kind != "property":
            return
        if self._chance.random() < self.quirks.inserts:
            number = len(self.items[kind])
            address = {"line1": f"{number} Other Way", "city": "York", "postcode": "YO1 7AA"}
            self.items[kind].insert(0, self._stranger(address))
        if self._chance.random() < self.quirks.swaps:
            # As many as before: no total shows it.
            self.items[kind].insert(0, self._stranger({"line1": "1 Other Way", "city": "York"}))
            others = [each for each in self.items[kind][1:] if "Other" in _line1(each)]
            if others:
                self.items[kind].remove(others[0])
        strangers = [each for each in self.items[kind] if "Other" in _line1(each)]
        if strangers and self._chance.random() < self.quirks.deletes:
            self.items[kind].remove(strangers[0])

    def _stranger(self, address: dict[str, Any]) -> Item:
        self._next += 1
        return Item(self._next - 1, {"address": address}, 0.0)

    def _matches(self, item: Item, query: str) -> bool:
        if not query or self.quirks.q == "ignored":
            return True
        address = item.sent["address"]
        shown = [str(value) for name, value in address.items() if name != "postcode"]
        if self.quirks.q != "without postcodes":
            shown.append(str(address.get("postcode", "")))
        text = " ".join(shown)
        if self.quirks.q == "nothing":
            return False
        if self.quirks.q == "case-sensitive":
            return query in text
        return query.casefold() in text.casefold()

    def _enveloped(self, shown: list[Any], number: int) -> Any:
        kind = self.quirks.envelope
        if kind == "keyed" or (kind == "keyed from page 2" and number > 1):
            return {str(place + 3): each for place, each in enumerate(shown)}
        return {"data": shown} if kind == "nested" else shown

    # --- what is shown

    def _shown(self, kind: str, item: Item) -> dict[str, Any]:
        show = {"property": self._home, "lead": self._lead, "void": self._void}
        shown = show.get(kind, self._reading)(item)
        return {**shown, "id": str(item.id)} if self.quirks.ids == "text" else shown

    def _home(self, item: Item) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": item.id, "status_id": 1, "status": "New Tenancy"}
        shown.update(self._address(item.sent["address"]))
        entries = []
        if item.ours:
            entries.append(self._entry(PARTNER, item.sent.get("property_reference")))
        if self.quirks.strangers:
            # Another agency calls another home of ours by the same reference.
            entries.insert(0, self._entry(99, f"H-{1 + item.id % 12}"))
        shown["partner_properties"] = entries
        return shown

    def _entry(self, partner: int, reference: str | None) -> dict[str, Any]:
        number = "OURS-1" if partner == PARTNER else f"THEIRS-{partner}"
        return {
            "id": partner * 1000,
            "partner": {"id": partner, "name": "An agency", "reference_number": number},
            "property_reference": self._reference(reference),
        }

    def _reference(self, reference: str | None) -> str | None:
        if reference and self.quirks.reference == "lower case":
            return reference.lower()
        if reference and self.quirks.reference == "shortened":
            return reference[:6]
        return reference

    def _address(self, sent: dict[str, Any]) -> dict[str, Any]:
        lines = [sent.get("line1"), sent.get("line2") or None, None, None]
        city, postcode = sent.get("city"), sent.get("postcode") or ""
        way = self.quirks.address
        if way == "upper case":
            lines = [line and line.upper() for line in lines]
            city, postcode = city and city.upper(), postcode.upper()
        elif way == "street":
            lines = [line and line.replace(" St", " Street") for line in lines]
        elif way == "four lines":
            first, _, rest = str(lines[0]).partition(", ")
            lines = [first, rest or None, lines[1], None]
        elif way == "respaced":
            postcode = postcode.replace(" ", "")
        elif way == "corrected":
            postcode = f"{postcode[:-1]}Z"
        names = ("address_line1", "address_line2", "address_line3", "address_line4")
        shown = dict(zip(names, lines, strict=True))
        return {**shown, "address_city": city, "address_county": None, "address_postcode": postcode}

    def _day(self, text: str) -> str:
        day = dt.datetime.strptime(text, "%d/%m/%y" if "/" in text else "%Y-%m-%d").date()
        if self.quirks.dates == "london":
            # Midnight in London: in summer, an hour before midnight UTC.
            summer = 4 <= day.month <= 9
            moment = dt.datetime.combine(day, dt.time()) - dt.timedelta(hours=summer)
            return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        if self.quirks.dates == "day":
            return day.isoformat()
        if self.quirks.dates == "british":
            return day.strftime("%d/%m/%Y")
        return f"{day.isoformat()}T00:00:00.000000Z"

    def _lead(self, item: Item) -> dict[str, Any]:
        sent = item.sent
        return {
            "id": item.id,
            "partner_id": PARTNER,
            "tenancy_start": self._day(sent["tenancy_start"]),
            "tenancy_end": self._day(sent["tenancy_end"]),
            "tenancy_type": "New Tenancy",
            "property": {"id": 1, **self._address(sent["address"])},
            "property_reference": self._reference(sent.get("property_reference")),
            "tenants": [{"id": n, **each} for n, each in enumerate(sent["tenants"], 1)],
        }

    def _void(self, item: Item) -> dict[str, Any]:
        return {
            "id": item.id,
            "property_id": item.sent.get("property_id"),
            "tenancy_start": self._day(item.sent["tenancy_start"]),
            "tenancy_end": None,
            "tenancy_type": "Void Period",
            "tenancy": {"id": item.id, "property_empty": True},
            "property": {"id": item.sent.get("property_id")},
        }

    def _reading(self, item: Item) -> dict[str, Any]:
        value: Any = item.sent["reading"]
        if self.quirks.readings == "decimals":
            value = f"{value}.00"
        elif self.quirks.readings == "number":
            value = int(value)
        return {
            "id": item.id,
            "reading": value,
            "reading2": None,
            "date_of_reading": self._day(item.sent["date_of_reading"]),
            "type": item.sent["type"].capitalize(),
            "property": {"id": int(item.sent["property_id"])},
        }


KINDS = ("property", "lead", "void", "reading")


def _line1(item: Item) -> str:
    return str(item.sent.get("address", {}).get("line1", ""))
