"""The input of the benchmarks: the sample of real addresses, repeated as often as needed."""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "tests/data/land-registry-sample.csv"


def rows(count: int) -> Iterator[dict[str, str]]:
    """Give so many rows; each repetition of the sample has references and houses of its own."""
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        sample = list(csv.DictReader(file))
    for number, row in enumerate(itertools.islice(itertools.cycle(sample), count)):
        turn = number // len(sample)
        if turn:
            row = row | {"unique_id": f"{row['unique_id']}-{turn}", "saon": f"FLAT {turn}"}
        yield row


def write(path: Path, count: int) -> None:
    """Write so many rows as a CSV file in the format of the sample."""
    made = rows(count)
    first = next(made)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, first.keys(), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(made)


def body(row: dict[str, str]) -> dict[str, object]:
    """Make the request body of a row, as a script written by hand would."""
    return {
        "address": {
            "line1": " ".join(f"{row['saon']} {row['paon']} {row['street']}".split()),
            "line2": row["locality"],
            "city": row["town"],
            "county": row["county"],
            "postcode": row["postcode"],
        },
        "property_reference": row["unique_id"],
    }
