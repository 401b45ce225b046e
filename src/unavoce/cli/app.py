"""The command's group and its one place for errors: a clear line and an exit code, never a traceback.

Exit codes: 0 done, 1 it could not be done here, 2 wrong use or a wrong setting, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence

import click

from unavoce.errors import SettingsError, UnavoceError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class Commands(click.Group):
    """Imports a command's module when it is asked for, so that `serve` starts without what `chat` needs."""

    names = ("serve", "say", "chat", "voices", "cache", "history", "doctor")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.names:
            return None
        command = importlib.import_module(f"unavoce.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - tells the type checker what the modules hold
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unavoce", message="%(prog)s %(version)s")
def cli() -> None:
    """Turns a language model's token stream into one steady voice."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line; errors that were foreseen become one line on standard error."""
    try:
        result = cli.main(args=args, prog_name="unavoce", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UnavoceError as error:
        return _complain(error)
    except BaseExceptionGroup as group:  # what a task of ours raised comes wrapped
        return _foreseen(group)
    except BrokenPipeError:  # the reader of our output (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def _foreseen(group: BaseExceptionGroup[BaseException]) -> int:
    """The first foreseen error in `group`, said in its line; anything else is a fault of ours and goes on."""
    if known := group.subgroup(UnavoceError):
        return _complain(next(_leaves(known)))
    raise group


def _leaves(group: BaseExceptionGroup[UnavoceError]) -> Iterator[UnavoceError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _complain(error: UnavoceError) -> int:
    click.echo(f"unavoce: {' '.join(str(error).split())}", err=True)
    return EXIT_USAGE if isinstance(error, SettingsError) else EXIT_FAILED
