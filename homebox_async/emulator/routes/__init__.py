"""The operations: one module for each heading of the document, one table of routes in each."""

from . import account, leads, properties, readings

ROUTES = (
    *properties.ROUTES,
    *leads.ROUTES,
    *readings.ROUTES,
    *account.ROUTES,
)
