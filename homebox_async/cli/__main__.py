"""`python -m homebox_async.cli` is `homebox`."""

from . import main

main()
