"""Homebox in Celery: `CELERY_CONFIG_MODULE=celeryconfig celery --app celery_tasks worker`."""

from typing import Any

from celery import Celery, Task
from celery.signals import worker_process_init, worker_process_shutdown

from homebox_async import (
    Address,
    Homebox,
    RequestError,
    UnprocessableEntity,
    ValidationError,
)

app = Celery("celery_tasks")
app.config_from_envvar("CELERY_CONFIG_MODULE")  # the broker and the like

homebox: Homebox


# One client for each process of the pool, made after the fork.
@worker_process_init.connect
def begin(**_: Any) -> None:
    global homebox
    homebox = Homebox()


# A process of the pool leaves without `atexit`.
@worker_process_shutdown.connect
def end(**_: Any) -> None:
    homebox.close()


# A minute is longer than Homebox works on one request and than its list lags behind.
@app.task(
    bind=True,
    acks_late=True,
    reject_on_worker_lost=True,
    max_retries=10,
    default_retry_delay=60,
    throws=(ValueError,),
)
def add_property(self: Task, reference: str, address: dict[str, str]) -> int | None:
    """Add a property once, however often the task is tried or delivered, and return its id."""
    if self.request.delivery_info.get("redelivered"):
        # Its worker died, maybe in the middle of the request: give it time to show up.
        raise self.retry()
    try:
        for home in homebox.properties.list(q=address["postcode"]):
            if reference in home.references:
                return home.id
        return homebox.properties.create(Address(**address), property_reference=reference).id
    except (ValidationError, UnprocessableEntity) as error:
        # It would be refused again. The result backend keeps the class of an error and its text.
        raise ValueError(str(error)) from None
    except RequestError as error:
        # The client has tried again by itself what is safe at once. Whatever this call did, the
        # next try looks first.
        raise self.retry(exc=error, countdown=error.retry_after) from error
