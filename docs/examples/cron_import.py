"""A nightly import: `15 2 * * * python cron_import.py portfolio.csv`, in the crontab.

It may be killed, run twice at once, or run again: no property is lost and none is added twice.
"""

import logging
import sys
from pathlib import Path

from homebox_async import Homebox, HomeboxError
from homebox_async.importer import import_properties_sync

# The exit codes that sysexits.h has for these.
BAD_DATA, TRY_LATER = 65, 75


def main(path: str) -> int:
    # The journal knows which rows are done. It and the results go beside the file: the working
    # directory of cron's jobs is another one.
    with Homebox() as client:
        report = import_properties_sync(
            client, path, preset="land-registry", results=Path(path).parent
        ).run()
    print(f"{report.created} created, {report.adopted} adopted, {report.rejected} rejected")
    if report.stopped:
        print(report.stopped, file=sys.stderr)
    if report.unknown or report.pending:
        return TRY_LATER  # the next run looks them up and goes on
    return BAD_DATA if report.rejected else 0  # each with its fix, in *.rejects.csv


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    try:
        sys.exit(main(sys.argv[1]))
    except HomeboxError as error:
        print(error, file=sys.stderr)
        sys.exit(TRY_LATER)
