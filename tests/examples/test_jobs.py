"""The examples that no visitor waits for: a Celery worker and a nightly script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from homebox_async.emulator import Emulator, Fault

from .serving import EXAMPLES, Program, command, finished, started

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[1] / "data/land-registry-sample.csv"
LEEDS = {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}

# Files in place of a broker; and no test waits for a minute. Celery writes a message in the folder
# that another process reads at that moment: renamed into it, it appears there whole.
CONFIG = """
import os
import uuid

from celery.backends.filesystem import FilesystemBackend
from kombu.transport import filesystem
from kombu.utils.json import dumps

broker_url = "filesystem://"
broker_transport_options = {{
    "data_folder_in": "{folder}/queue",
    "data_folder_out": "{folder}/queue",
    "control_folder": "{folder}/control",
    "polling_interval": 0.01,
}}
result_backend = "file://{folder}/results"
# Not 0: Celery notes the retry only after it has queued it, and then its note could hide the
# success of a process that was quicker.
task_annotations = {{"celery_tasks.add_property": {{"default_retry_delay": 0.5}}}}


def write(path, data):
    part = f"{folder}/control/{{uuid.uuid4()}}"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, path)


def put(channel, queue, payload, **_):
    path = f"{folder}/queue/{{uuid.uuid4()}}.{{queue}}.msg"
    write(path, dumps(payload).encode())


def store(backend, key, value):
    write(backend._filename(key), value if isinstance(value, bytes) else value.encode())


filesystem.Channel._put = put
FilesystemBackend.set = store
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Celery's configuration and files."""
    folder = tmp_path_factory.mktemp("celery")
    for name in ("queue", "control", "results"):
        (folder / name).mkdir()
    (folder / "celeryconfig.py").write_text(CONFIG.format(folder=folder))
    return folder


@pytest.fixture(scope="module")
def worker(emulator: Emulator, folder: Path) -> Iterator[Program]:
    """Return a worker with two processes; in the end it has to leave in order."""
    celery = command(
        "celery --app celery_tasks worker",
        "--pool prefork --concurrency 2 --loglevel INFO",
        "--without-gossip --without-mingle --without-heartbeat",
    )
    environment = {
        "CELERY_CONFIG_MODULE": "celeryconfig",
        "PYTHONPATH": f"{EXAMPLES}:{folder}",
    }
    # Celery minds that a container's user is root.
    ignored = "ignore:You're running the worker with superuser privileges:Warning"
    with started(celery, emulator, folder, ignored, **environment) as program:
        program.wait_for("ready")
        yield program
        program.stop()
        assert 0 == program.process.wait(timeout=30), program.said
        for bad in ("Traceback", "Warning:", "never retrieved", "unclosed"):
            assert bad not in program.said, program.said


@pytest.fixture
def queue(folder: Path, worker: Program) -> Iterator[Celery]:
    """Return what puts tasks in the worker's queue."""
    names: dict[str, object] = {}
    exec((folder / "celeryconfig.py").read_text(), names)
    with Celery(set_as_current=False) as app:
        settings = ("broker_url", "broker_transport_options", "result_backend")
        app.conf.update({name: names[name] for name in settings})
        yield app


def ids(emulator: Emulator) -> set[int]:
    """Return the ids of the properties that the emulator holds."""
    return {home.id for home in emulator.store.properties}


def test_tasks(emulator: Emulator, queue: Celery, worker: Program) -> None:
    """Tasks run in the processes of the pool, each of which has a client; the worker has none."""
    tasks = [
        queue.send_task("celery_tasks.add_property", [f"C-{number}", LEEDS]) for number in range(20)
    ]

    made = {task.get(timeout=30) for task in tasks}

    assert 20 == len(made)
    assert made <= ids(emulator)
    assert not worker.ports[worker.process.pid]
    posts = [received for received in emulator.received if received.method == "POST"]
    assert [True] * 20 == [received.committed for received in posts]


@pytest.mark.parametrize("fault", ["drop-after", "500-after", "drop-before", "429:0"])
def test_task_is_done_once(fault: str, emulator: Emulator, queue: Celery) -> None:
    """A task whose request failed is tried again, and looks first: it is done once."""
    emulator.script("POST", "/api/partner/property", [Fault.named(fault)])
    before = ids(emulator)

    task = queue.send_task("celery_tasks.add_property", [f"once-{fault}", LEEDS])

    assert before | {task.get(timeout=30)} == ids(emulator)
    assert len(before) + 1 == len(ids(emulator))


def test_task_that_is_delivered_twice(emulator: Emulator, queue: Celery) -> None:
    """The same task, put in the queue twice, finds what the first has done."""
    before = ids(emulator)

    made = [
        queue.send_task("celery_tasks.add_property", ["twice", LEEDS]).get(timeout=30)
        for _ in range(2)
    ]

    assert made[0] == made[1]
    assert len(before) + 1 == len(ids(emulator))


def test_task_that_is_refused(emulator: Emulator, queue: Celery, worker: Program) -> None:
    """What the client refuses to send is not tried again."""
    task = queue.send_task("celery_tasks.add_property", ["bad", {**LEEDS, "line1": ""}])

    with pytest.raises(ValueError, match=r"^address\.line1 is empty; .* \(nothing was sent\)$"):
        task.get(timeout=30)

    assert [] == [received for received in emulator.received if received.method == "POST"]


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    """Return a file of twenty homes, the last of which has no postcode."""
    header, *rows = SAMPLE.read_text().splitlines()[:21]
    broken = re.sub(r'"[A-Z]{1,2}\d\w? \d[A-Z]{2}"', '""', rows.pop())
    path = tmp_path / "portfolio.csv"
    path.write_text("\n".join((header, *rows, broken)) + "\n")
    return path


def test_nightly_import(emulator: Emulator, portfolio: Path, tmp_path: Path) -> None:
    """The script tells how it went; run again, it goes on, and sends nothing twice."""
    emulator.script("POST", "/api/partner/property", [*[None] * 5, Fault.named("401")])
    script = f"cron_import.py {portfolio}"

    runs = [finished(script, emulator, tmp_path) for _ in range(3)]

    assert (75, 65, 65) == tuple(run.code for run in runs), runs
    assert "401" in runs[0].log
    assert ["19 created, 0 adopted, 1 rejected\n", ""] * 2 == [
        said for run in runs[1:] for said in (run.output, run.log)
    ]
    assert 19 == sum(received.committed for received in emulator.received)


def test_nightly_import_without_a_token(
    emulator: Emulator, portfolio: Path, tmp_path: Path
) -> None:
    """What keeps the script from beginning is one line on standard error."""
    run = finished(f"cron_import.py {portfolio}", emulator, tmp_path, HOMEBOX_TOKEN="")

    assert (75, "") == (run.code, run.output)
    assert "HOMEBOX_TOKEN" in run.log
    assert 1 == len(run.log.splitlines())
