"""Runs in processes of their own: kills and memory."""

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Fault

from .running import finish, until

PROGRAM = textwrap.dedent(
    """
    import asyncio, json, resource, sys
    from homebox_async import AsyncHomebox
    from homebox_async.importer import import_properties

    def rows(count):
        for n in range(1, count + 1):
            yield {"line1": f"{n} High Street", "city": "Leeds",
                   "postcode": f"LS{n % 90 + 1} {n % 9}AA", "ref": f"R{n}"}

    async def main(url, token, source, folder, options):
        source = rows(int(source)) if source.isdigit() else source
        async with AsyncHomebox(token, base_url=url) as client:
            print("go", flush=True)
            report = await import_properties(
                client, source, results=folder, settle=0.1, **json.loads(options))
        print(report.created + report.adopted, report.done,
              resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    asyncio.run(main(*sys.argv[1:]))
    """
)


async def spawn(bench: Any, source: object, options: str = "{}") -> asyncio.subprocess.Process:
    """Start an import in a process of its own."""
    emulator = bench.emulator
    arguments = (emulator.url, emulator.token, str(source), str(bench.folder), options)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("moment", [0, 1, 60, 200])
async def test_killed(bench: Any, moment: int) -> None:
    """After kill -9 at any moment, the same import ends with each row there once."""
    bench.write(260)
    bench.script(*[None, Fault.named("drop-after"), None, Fault.named("503")] * 20)
    process = await spawn(bench, bench.path)
    assert process.stdout is not None
    assert b"go\n" == await process.stdout.readline()
    await until(lambda: bench.posts >= moment)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert -signal.SIGKILL == process.returncode
    await finish(bench, 260)


@pytest.mark.timeout(180)
async def test_memory_is_flat(bench: Any) -> None:
    """The memory of an import does not grow with the number of rows."""
    peaks = []
    for count in (2_000, 20_000):
        folder = bench.folder / str(count)
        folder.mkdir()
        bench.folder, before = folder, bench.folder
        process = await spawn(bench, count, '{"adopt_existing": false, "concurrency": 32}')
        out, _ = await asyncio.wait_for(process.communicate(), 80)
        bench.folder = before
        done, complete, peak = out.decode().split()[1:]
        assert (str(count), "True") == (done, complete)
        peaks.append(int(peak))
    small, large = peaks
    assert large < small * 1.25 + 8_000


async def test_iterable_is_not_kept(bench: Any, tmp_path: Path) -> None:
    """The rows of an iterable are kept in a file without a name, not beside the results."""

    async def rows() -> AsyncIterator[dict[str, str]]:
        yield {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA", "ref": "R1"}

    await bench.report(rows())
    assert {"rows.journal", "rows.created.csv"} == {path.name for path in tmp_path.iterdir()}
