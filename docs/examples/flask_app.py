"""Homebox in Flask: `gunicorn --workers 2 --threads 8 flask_app:app`."""

import atexit
import json
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response

from homebox_async import Homebox, NotFound, Property, RequestError

app = Flask(__name__)

# One client for each process, shared by its threads. It starts nothing before its first call, so
# it may be made here: gunicorn forks its workers, with and without `--preload`, before any of them
# has served a request, and each opens connections of its own. One that was used before the fork
# would refuse to work in the workers.
# Its deadline is below gunicorn's `--timeout` and `--graceful-timeout`, both 30 s.
homebox = Homebox(deadline=20)
atexit.register(homebox.close)


@app.get("/properties/<int:property_id>")
def show(property_id: int) -> dict[str, Any]:
    return summary(homebox.properties.get(property_id))


@app.get("/properties")
def export() -> Response:
    pages = homebox.properties.list().pages()
    first = next(pages, None)  # a failure up to here still has a status of its own

    def lines() -> Iterator[str]:
        """Yield a page as soon as it is there; one of them is in memory."""
        page = first
        while page is not None:
            yield "".join(json.dumps(summary(item)) + "\n" for item in page.items)
            page = next(pages, None)

    return Response(lines(), mimetype="application/x-ndjson")


def summary(home: Property) -> dict[str, Any]:
    return {"id": home.id, "line1": home.address_line1, "postcode": home.address_postcode}


@app.errorhandler(NotFound)
def missing(error: NotFound) -> tuple[dict[str, str], int]:
    return {"outcome": error.outcome.value}, 404


@app.errorhandler(RequestError)
def failed(error: RequestError) -> tuple[dict[str, str], int]:
    # The log has the whole of it; a visitor learns what may have happened.
    app.logger.warning("%s", error)
    return {"outcome": error.outcome.value}, 502
