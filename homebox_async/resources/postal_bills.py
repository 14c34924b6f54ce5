"""The document's heading "Postal Bills": bills that came to the home by post."""

from __future__ import annotations

import datetime as dt

import attrs

from ..models import Model, model
from ..pages import Pages
from ..rules import UNSET, Unset, notes, positive_integer
from ..uploads import IMAGE_OR_PDF, AnyFile, as_upload
from .base import Resource


@model
class PostalBill(Model):
    """A bill that came by post. `source` is where its file is kept; who has the link may open it.

    The link, the file's name and the free text are out of the repr.
    """

    id: int | None = None
    name: str | None = attrs.field(default=None, repr=False)
    source: str | None = attrs.field(default=None, repr=False)
    notes: str | None = attrs.field(default=None, repr=False)
    feedback: str | None = attrs.field(default=None, repr=False)
    state: str | None = None
    type: str | None = None
    created_at: dt.date | None = None


class AsyncPostalBills(Resource):
    """Bills that came by post. `page_size` of the list is the API's `limit`."""

    async def create(
        self, order_id: int, *, file: AnyFile, tenant_notes: str | Unset = UNSET
    ) -> PostalBill:
        """Store a bill that came by post with an order and return it.

        `file`: an image or a PDF as bytes, path, open binary file or `Upload`; its content tells
        its type, and it is streamed. `tenant_notes`: text, in which line breaks are fine.
        Raises ValidationError before anything is sent, NotFound where there is no such order,
        OutcomeUnknown if it may have been stored all the same, RequestError otherwise.
        Source: POST /api/partner/order/{order_id}/postal-bills, "Create Postal Bill".
        """
        upload, problems = as_upload("file", file, IMAGE_OR_PDF)
        return await self._post(
            "order/{order_id}/postal-bills",
            PostalBill,
            params={"order_id": order_id},
            rules={"tenant_notes": notes},
            required=("file",),
            problems=problems,
            form={"tenant_notes": tenant_notes, "file": upload},
        )

    def list(
        self,
        order_id: int,
        *,
        page_size: int | Unset = UNSET,
        start_page: int = 1,
        prefetch: int = 0,
    ) -> Pages[PostalBill]:
        """List the postal bills of an order.

        `page_size`, `start_page`, `prefetch`: see `Pages`; the server tells no last page.
        Raises NotFound where there is no such order, RequestError, while it is iterated.
        Source: GET /api/partner/order/{order_id}/postal-bills, "List Postal Bills".
        """
        return self._pages(
            "order/{order_id}/postal-bills",
            PostalBill,
            params={"order_id": order_id},
            rules={"limit": positive_integer},
            start_page=start_page,
            prefetch=prefetch,
            limit=page_size,
        )
