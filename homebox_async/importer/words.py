"""What differs between kinds of imports in words: in errors, result files and reports."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

STOPPED = "the import stopped before the answer came"
"""The error of a row that was claimed when its import was killed; it may not have been sent."""


@attrs.frozen(kw_only=True)
class Words:
    """How one kind is spoken of.

    `one`: a single one. `id_name`: the column of its id in the results. `existing`: what another
    journal means for those that are there already. `unknown` and `fix`: what is said of a row of
    which it is not known whether it was created, and what to do then; `again`: what to do with
    one that a run has left open.
    """

    one: str
    id_name: str
    existing: str
    unknown: str
    fix: str
    again: str


def _listed(one: str, many: str, id_name: str) -> Words:
    return Words(
        one=one,
        id_name=id_name,
        existing=f"{many} that exist are adopted, not sent again",
        unknown="may exist; the next run looks them up first",
        fix=f"run the same import again: it looks first whether the {one} exists",
        again="run the same command again, which looks it up first",
    )


_ASK = "ask Homebox whether the void is there"

WORDS: Mapping[str, Words] = {
    "properties": _listed("property", "properties", "property_id"),
    "leads": _listed("lead", "leads", "lead_id"),
    "readings": _listed("reading", "readings", "reading_id"),
    # "Void Periods" has no list.
    "voids": Words(
        one="void",
        id_name="tenancy_id",
        existing="voids that the ledger knows are not sent again; Homebox does not list the others",
        unknown="may exist; Homebox does not list voids, so ask Homebox",
        fix=_ASK,
        again=_ASK,
    ),
}
"""By the name of the kind, which stands in the journal."""
