"""Examples of bills packages, and an API of short calls."""

from typing import Any

API = "/api/partner"
STAMP = "2024-05-20T09:00:00.000000Z"
LINES = {"line1": "123 Test Lane", "city": "London", "postcode": "EC1V2NX"}
ORDER = {
    "package_id": 2,
    "add_ons": [35],
    "address": LINES,
    "reference": "HOMEBOX1",
    "total_occupants": 5,
    "bill_payers": 2,
    "household_type": "professional-tenant",
    "tenancy_move_in": "02/10/24",
    "tenancy_start": "01/10/24",
    "tenancy_end": "01/10/25",
}
BANK = {"account_name": "Jane Smith", "account_number": "12345678", "sort_code": "000000"}
PARTNER_ORDER = BANK | {
    "bills": [{"id": "1", "account_number": "77"}, {"id": 27}],
    "tenancy_start": "01/01/21",
    "tenancy_end": "01/12/21",
    "housemates": 3,
    "is_student": False,
    "address": LINES,
    "billing_address": LINES,
    "tenants": [
        {
            "first_name": "John",
            "last_name": "Johnson",
            "phone_number": "+441234567890",
            "email_address": "john@example.com",
        }
    ],
}
Start = Any
