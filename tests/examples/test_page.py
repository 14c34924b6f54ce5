"""The page about web frameworks shows every example, as it is tested here."""

import re

from .serving import EXAMPLES, PAGE


def test_every_example_is_shown_once() -> None:
    """Each file of the folder is included in the page, whole and once."""
    shown = re.findall(
        r'<!-- snippet: example -->\n```python\n--8<-- "examples/(\w+\.py)"\n```\n', PAGE
    )

    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(shown)
    assert PAGE.count("```python") == len(shown)
