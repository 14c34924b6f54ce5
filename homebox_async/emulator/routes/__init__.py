"""The operations: one module for each heading of the documents, one table of routes in each."""

from . import (
    account,
    billing,
    branches,
    leads,
    metrics,
    orders,
    partner_packages,
    payers,
    postal_bills,
    properties,
    readings,
    tenancies,
    tenant_packages,
    voids,
)

# The 63 documented operations.
ROUTES = (
    *properties.ROUTES,
    *orders.ROUTES,
    *tenant_packages.ROUTES,
    *payers.ROUTES,
    *partner_packages.ROUTES,
    *tenancies.ROUTES,
    *leads.ROUTES,
    *readings.ROUTES,
    *postal_bills.ROUTES,
    *voids.ROUTES,
    *account.ROUTES,
    *branches.ROUTES,
    *metrics.ROUTES,
    *billing.ROUTES,
)
