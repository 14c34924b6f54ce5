"""What an operation requires cannot be left out by giving None: nothing is sent then."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from homebox_async import AsyncHomebox, ValidationError

Method = Callable[..., Coroutine[Any, Any, Any]]
CREATES = [
    *("properties.create", "tenancies.update_dates", "orders.replace_payment"),
    *("tenant_packages.create", "partner_packages.create", "invites.create", "bill_payers.add"),
    *("mandates.update", "leads.create", "readings.create_for_order", "postal_bills.create"),
    *("readings.create_for_property", "voids.create", "branches.create"),
]


def required_of(method: Method) -> tuple[list[str], list[str]]:
    """Return the ids that a method takes and the names of the values that it requires."""
    ids, names = [], []
    for parameter in inspect.signature(method).parameters.values():
        if parameter.name.endswith("_id") and parameter.kind is not parameter.KEYWORD_ONLY:
            ids.append(parameter.name)
        elif parameter.default is parameter.empty:
            names.append(parameter.name)
    return ids, names


@pytest.mark.parametrize("name", CREATES)
async def test_none_for_required(name: str) -> None:
    """Each required value that is None is told, all at once, before anything is sent."""
    async with AsyncHomebox("token", base_url="http://127.0.0.1:9") as client:
        resource, _, operation = name.partition(".")
        method = getattr(getattr(client, resource), operation)
        ids, names = required_of(method)

        with pytest.raises(ValidationError) as caught:
            await method(**dict.fromkeys(ids, 1), **dict.fromkeys(names))

    assert set(names) == {problem.field for problem in caught.value.problems} & set(names)
