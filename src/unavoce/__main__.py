"""`python -m unavoce` is the `unavoce` command."""

from unavoce.cli import main

main()
