"""Models as plain values: dicts, JSON, pydantic's fields and the answers of FastAPI."""

import datetime as dt
import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import attrs
import fastapi
import httpx
import pydantic
import pytest

from homebox_async import BillingHeader, Lead, Model, Order, Payment, Property, Tenant, resources
from homebox_async.codec import decode

for _module in pkgutil.iter_modules(resources.__path__):
    importlib.import_module(f"{resources.__name__}.{_module.name}")


def models(kind: type = Model) -> Iterator[type[Model]]:
    """Give every class of answers."""
    for one in kind.__subclasses__():
        if attrs.has(one) and one.__module__.startswith(resources.__name__):
            yield one
        yield from models(one)


LEAD = Lead(
    id=1,
    tenancy_start=dt.date(2022, 7, 1),
    completed_at=dt.datetime(2022, 7, 2, 10, tzinfo=dt.UTC),
    property=Property(id=2, address_city="Leeds"),
    tenants=(Tenant(id=3, first_name="Jo"),),
)


def test_to_dict() -> None:
    """Objects inside are dicts, several are a list; dates and amounts stay what they are."""
    values = LEAD.to_dict()
    assert (1, dt.date(2022, 7, 1), None) == (
        values["id"],
        values["tenancy_start"],
        values["tenancy_end"],
    )
    assert ("Leeds", "Jo") == (
        values["property"]["address_city"],
        values["tenants"][0]["first_name"],
    )
    assert {"amount": Decimal("10.50")} == {
        key: value for key, value in Payment(amount=Decimal("10.50")).to_dict().items() if value
    }
    assert "property_uuid" in BillingHeader().to_dict()


def test_to_json() -> None:
    """JSON has dates in ISO 8601 and amounts as text, as the server writes them."""
    values = json.loads(LEAD.to_json())
    assert ("2022-07-01", "2022-07-02T10:00:00Z") == (
        values["tenancy_start"],
        values["completed_at"],
    )
    assert "10.50" == json.loads(Payment(amount=Decimal("10.50")).to_json())["amount"]
    assert list(LEAD.to_dict()) == list(values)


@pytest.mark.parametrize("kind", [*models()], ids=lambda kind: kind.__name__)
def test_every_model_in_pydantic(kind: type[Any]) -> None:
    """Pydantic writes and describes every class, and what it wrote is read back as equal."""
    adapter = pydantic.TypeAdapter(kind)
    made = decode(
        json.dumps(json.loads(kind().to_json()) | {"id": 7}).encode(), kind, envelope=None
    )
    assert made is adapter.validate_python(made)
    for back in (
        adapter.validate_python(made.to_dict()),
        adapter.validate_json(made.to_json()),
        adapter.validate_json(adapter.dump_json(made)),
        adapter.validate_python(adapter.dump_python(made)),
    ):
        assert made == back
    assert json.loads(made.to_json()) == json.loads(adapter.dump_json(made))
    for mode in ("validation", "serialization"):
        described = adapter.json_schema(mode=mode)  # type: ignore[arg-type]
        assert set(made.to_dict()) == set(described["properties"])


def test_a_filled_model_in_pydantic() -> None:
    """Objects inside come back as objects, from JSON as from Python's values."""

    class Mine(pydantic.BaseModel):
        lead: Lead
        orders: list[Order] = []

    mine = Mine(lead=LEAD, orders=[Order(id=5, add_ons=(1, 2))])
    assert mine.lead is LEAD
    assert mine == Mine.model_validate_json(mine.model_dump_json())
    assert mine == Mine.model_validate(mine.model_dump())
    with pytest.raises(pydantic.ValidationError, match="tenancy_start"):
        Mine(lead={"tenancy_start": "soon"})  # type: ignore[arg-type]


async def test_answers_of_fastapi() -> None:
    """An endpoint returns a model or a list of them, and the API's description has the fields."""
    app = fastapi.FastAPI()

    @app.get("/lead")
    async def one() -> Lead:
        return LEAD

    @app.get("/leads")
    async def several() -> list[Lead]:
        return [LEAD]

    @app.post("/leads")
    async def back(lead: Annotated[Lead, fastapi.Body()]) -> int | None:
        return lead.tenants[0].id

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = (await client.get("/lead")).json()
        assert json.loads(LEAD.to_json()) == answer
        assert [answer] == (await client.get("/leads")).json()
        assert 3 == (await client.post("/leads", json=answer)).json()
        described = (await client.get("/openapi.json")).text
    assert "tenancy_start" in described


def test_nothing_of_pydantic_is_loaded() -> None:
    """Who does not use pydantic does not load it."""
    code = (
        "import sys, homebox_async; homebox_async.Lead(id=1).to_json();"
        " assert not [name for name in sys.modules if name.startswith('pydantic')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
