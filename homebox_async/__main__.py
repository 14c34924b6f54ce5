"""`python -m homebox_async` is `homebox`."""

from .cli import main

main()
