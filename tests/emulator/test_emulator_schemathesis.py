"""Schemathesis: made-up requests neither break the emulator nor its contract."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from homebox_async.emulator import Address, Emulator
from homebox_async.emulator.contract import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BRANCH = {"name": "Child Partner", "email": "child@example.com"}
POSTAL_BILL = {"file": ("bill.png", b"png")}
PAYER = {
    "account_name": "Jane Smith",
    "account_number": "12345678",
    "billing_address": {"line1": "Flat 1", "city": "London", "postcode": "NR3 2AG"},
    "birthday": "01/01/2000",
    "email": "jane.smith917@example.com",
    "first_name": "Jane",
    "last_name": "Smith",
    "nationality": "GB",
    "phone_number": "+441234567890",
    "sort_code": "000000",
}
INVITE = {"first_name": "John", "last_name": "Appleseed", "phone_number": "+441234567891"}


def contract() -> dict[str, Any]:
    """Return the contract with ids and addresses that the emulator often knows."""
    shape = document()
    schemas = shape["components"]["schemas"]
    # No made-up address_id would be known.
    schemas["NewAddress"] = schemas["Lines"]
    for item in shape["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["schema"].get("type") == "integer":
                    parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 3}
                if parameter["name"] == "document_id":
                    parameter["schema"] = {"type": "string", "enum": ["BE03856190", "BE00000000"]}
    return shape


OPERATIONS = [
    operation.ok() for operation in schemathesis.openapi.from_dict(contract()).get_all_operations()
]


def fill(emulator: Emulator) -> None:
    """Put rows of each kind into the emulator, in the partner's account and in a branch."""
    session = requests.Session()
    session.headers = {"Authorization": f"Bearer {emulator.token}", "Accept": "application/json"}
    base = f"{emulator.url}/api/partner"

    def post(path: str, **body: Any) -> None:
        assert 201 == session.post(f"{base}/{path}", **body).status_code

    for _ in range(2):
        post("child/store", json=BRANCH)
    for number in (1, 2, 3):
        partner = 1 if number < 3 else 2
        address = Address(f"{number} Mill Lane", None, "Hove", None, "BN3 1AB")
        emulator.store.add_property(address, None, partner)
        emulator.seed_order(number)
        order = f"order/{number}"
        post(f"{order}/tenant", json=PAYER)
        post(f"{order}/invite", json=INVITE)
        post(f"{order}/postal-bills", files=POSTAL_BILL)
        emulator.take_payments(number, "failed")
        emulator.take_payments(number)
        emulator.set_mandate(number, "rejected")


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """Serve a filled emulator from a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    emulator = Emulator()
    asyncio.run_coroutine_threadsafe(emulator.start(), loop).result()
    fill(emulator)
    yield emulator
    asyncio.run_coroutine_threadsafe(emulator.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Return a session that keeps its connection."""
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_operation(
    served: Emulator, session: requests.Session, operation: Any, mode: GenerationMode
) -> None:
    """Each answer has a documented status, media type and schema, whatever is sent."""
    headers = {"Accept": "application/json", "Authorization": f"Bearer {served.token}"}
    if operation.path.startswith("/billing"):
        login = dict(zip(("username", "password"), served.billing_login, strict=True))
        token = session.post(f"{served.billing_url}/users/authenticate", json=login).json()
        headers["Authorization"] = f"Bearer {token}"

    @settings(
        max_examples=8 if mode.is_positive else 4,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=served.url, session=session, headers=headers, checks=CHECKS)

    run()
