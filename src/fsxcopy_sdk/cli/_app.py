"""
The commands, their options, and what surrounds them: standard input, errors, exit codes.

The modules that carry the commands out are imported when they are needed, because help
and completion must be quick and the AWS libraries are slow to import.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import anyio
from cyclopts import App, CycloptsError, Parameter

from fsxcopy_sdk.cli._options import (
    COPY_DURATION,
    MAX_AGE,
    MAX_IN_PROGRESS,
    Copying,
    Duration,
    Flag,
    Globals,
    InProgress,
    MaxAge,
    Policy,
    Port,
    Pruning,
    Scope,
    Selection,
    Speed,
    Waiting,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Exit, describe_error, exit_of
from fsxcopy_sdk.cli._output import logging_to_standard_error, printable
from fsxcopy_sdk.errors import FsxCopyError


class _Lazy:
    """A module of this package that is imported when one of its names is used."""

    def __init__(self, name: str) -> None:
        self._name = f"fsxcopy_sdk.cli.{name}"

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    from fsxcopy_sdk.cli import _backups, _copying, _local, _replication, _reporter
else:
    _backups, _copying, _local = _Lazy("_backups"), _Lazy("_copying"), _Lazy("_local")
    _replication, _reporter = _Lazy("_replication"), _Lazy("_reporter")

_HELP = """\
Copy Amazon FSx backups between Regions, wait, keep a second Region ready.

Results go to standard output, everything else to standard error.

For example:

  fsxcopy copy backup-0123456789abcdef0 \\
    --source-region us-east-2 --region us-west-2

Exit codes:

  0    done
  1    some items failed, or another error
  2    usage or configuration error
  3    no credentials, or no permission
  4    not finished in time; accepted copies continue at the service
  130  interrupted; accepted copies continue at the service

If items failed in different ways, the code is 1.
"""

app = App(
    name="fsxcopy",
    help=_HELP,
    help_format="plaintext",
    version_flags=["--version"],
)
app.register_install_completion_command()
app.meta.suppress_keyboard_interrupt = False  # `run` reports an interruption itself

_Arguments = ParamSpec("_Arguments")
_BackupIds: TypeAlias = Annotated[
    str, Parameter(help="IDs of backups; `-` reads them from standard input.")
]
_Globals: TypeAlias = Annotated[Globals, Parameter(parse=False)]
_COPYING = Copying()
_WAITING = Waiting()
_SELECTION = Selection()
_SCOPE = Scope()
_POLICY = Policy()
_PRUNING = Pruning()
_GLOBALS = Globals()


def run(arguments: Sequence[str]) -> Exit:
    """Run a command line, report errors on standard error, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            result = app.meta(
                [*_with_standard_input(arguments)],
                exit_on_error=False,
                print_error=False,
                result_action="return_value",
            )
        except BaseExceptionGroup as group:
            # The first error of a task group cancelled the other tasks.
            raise _first(group) from group
    except CycloptsError as error:
        text = str(error)
        stop = "" if text.endswith((".", "?")) else "."
        return _fail(Exit.USAGE, f"{text}{stop} See fsxcopy --help.")
    except FsxCopyError as error:
        return _fail(exit_of(error), describe_error(error))
    except OSError as error:
        # Python would report the same error when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader needs no more output
            return Exit.FAILED
        return _fail(Exit.FAILED, f"the output cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        return _fail(Exit.INTERRUPTED, "interrupted")
    return result if isinstance(result, Exit) else Exit.DONE


def _with_standard_input(arguments: Sequence[str]) -> Iterator[str]:
    """
    Yield the arguments, with the words of standard input in place of a `-`.

    Raises:
        InvalidArguments: a word would be taken for an option.
    """
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        for word in sys.stdin.read().split():
            if word.startswith("-"):
                raise usage_error(f"standard input: must be ids, not {word!r:.80}")
            yield word


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(code: Exit, text: str) -> Exit:
    print(f"fsxcopy: {printable(text)}", file=sys.stderr)  # noqa: T201 - a command's output
    return code


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    options: Annotated[Globals, Parameter(name="*")] = _GLOBALS,
) -> object:
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    takes_options = {"options": options} if "options" in ignored else {}
    with logging_to_standard_error(options.log_level):
        result: object = command(*bound.args, **bound.kwargs, **takes_options)
    return result


def _run(
    work: Callable[Concatenate[Globals, _reporter.Reporter, _Arguments], Awaitable[Exit]],
    options: Globals,
    *arguments: _Arguments.args,
    **settings: _Arguments.kwargs,
) -> Exit:
    reporter = _reporter.Reporter(options)
    return anyio.run(partial(work, options, reporter, *arguments, **settings))


@app.command
def copy(
    *backup_ids: _BackupIds,
    copying: Copying = _COPYING,
    waiting: Waiting = _WAITING,
    copy_tags: Annotated[Flag, Parameter(help="Give the copies their sources' tags.")] = False,
    max_in_progress: InProgress = MAX_IN_PROGRESS,
    salt: Annotated[
        str, Parameter(help="Change this text to force another copy of the same backup.")
    ] = "",
    options: _Globals,
) -> Exit:
    r"""
    Copy backups into a Region, and wait until the copies are AVAILABLE.

    A backup that already has a copy in that Region is not copied again. If its copy is
    in progress, the command waits for it.

    For example:

      fsxcopy copy backup-0123456789abcdef0 \
        --source-region us-east-2 --region us-west-2 --tag Purpose=dr
    """
    return _run(
        _copying.copy,
        options,
        copying,
        waiting,
        backup_ids,
        copy_tags=copy_tags,
        max_in_progress=max_in_progress,
        salt=salt,
    )


@app.command(name="list")
def list_(*, selection: Selection = _SELECTION, options: _Globals) -> Exit:
    """
    List the backups of a Region.

    For example:

      fsxcopy list --region us-west-2 --file-system-id fs-0123456789abcdef0
    """
    return _run(_backups.list_backups, options, selection)


@app.command
def show(
    backup_id: Annotated[str, Parameter(help="ID of the backup.")], /, *, options: _Globals
) -> Exit:
    """
    Show all members of one backup; passwords are masked.

    For example:

      fsxcopy show backup-0123456789abcdef0 --region us-west-2
    """
    return _run(_backups.show, options, backup_id)


@app.command
def wait(*backup_ids: _BackupIds, waiting: Waiting = _WAITING, options: _Globals) -> Exit:
    """
    Wait until backups are AVAILABLE.

    A backup that fails or times out does not stop the waits for others. The command
    keeps no state except the IDs: if it is interrupted, run it again.

    For example:

      fsxcopy wait backup-0123456789abcdef0 --region us-west-2 --max-wait 12h
    """
    return _run(_copying.wait, options, waiting, backup_ids)


@app.command
def plan(*, policy: Policy = _POLICY, max_age: MaxAge = MAX_AGE, options: _Globals) -> Exit:
    r"""
    Show what a sync would do, and why; nothing is changed.

    The exit code is 1 if there is no backup to plan for.

    For example:

      fsxcopy plan --source-region us-east-2 --region us-west-2 \
        --keep-last 7
    """
    return _run(_replication.plan, options, policy, max_age)


@app.command
def sync(
    *,
    policy: Policy = _POLICY,
    waiting: Waiting = _WAITING,
    max_in_progress: InProgress = MAX_IN_PROGRESS,
    pruning: Pruning = _PRUNING,
    dry_run: Annotated[Flag, Parameter(help="Show the plan, and change nothing.")] = False,
    options: _Globals,
) -> Exit:
    r"""
    Copy the newest backups of a Region to another one, except those that have copies.

    The command can be interrupted or killed and run again. The newest copy is never
    pruned. The exit code is 1 if there is no backup to copy, or if copies were held
    back from pruning.

    For example:

      fsxcopy sync --source-region us-east-2 --region us-west-2 \
        --policy nightly --keep-last 7 --prune
    """
    return _run(
        _replication.sync,
        options,
        policy,
        waiting,
        pruning,
        dry_run=dry_run,
        max_in_progress=max_in_progress,
    )


@app.command
def report(*, scope: Scope = _SCOPE, max_age: MaxAge = MAX_AGE, options: _Globals) -> Exit:
    """
    Show the age of the newest copy of each file system and volume.

    The exit code is 1 if one is late.

    For example:

      fsxcopy report --source-region us-east-2 --region us-west-2 --max-age 25h
    """
    return _run(_replication.report, options, scope, max_age)


@app.command
def delete(
    *backup_ids: _BackupIds,
    yes: Annotated[Flag, Parameter(help="Delete without confirmation.")] = False,
    options: _Globals,
) -> Exit:
    """
    Delete backups permanently.

    For example:

      fsxcopy delete backup-0123456789abcdef0 --region us-west-2
    """
    return _run(_backups.delete, options, backup_ids, yes)


@app.command
def local(
    *,
    port: Annotated[Port, Parameter(help="TCP port on 127.0.0.1; 0 for any free one.")] = 0,
    speed: Annotated[
        Speed, Parameter(help="Speed of its clock, as a multiple of real time.")
    ] = 1.0,
    copy_duration: Annotated[
        Duration, Parameter(help="Duration of a copy, by its clock.")
    ] = COPY_DURATION,
    with_example: Annotated[
        Flag, Parameter(help="Add an example backup to us-east-2, and print its ID.")
    ] = False,
) -> Exit:
    """
    Run a local FSx for tests and trials until it is interrupted.

    It prints its URL, for the option --endpoint-url, and accepts any credentials, such
    as AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any.

    For example:

      fsxcopy local --speed 60 --with-example
    """
    return anyio.run(_local.serve, port, speed, copy_duration, with_example)


@app.command
def demo() -> Exit:
    """
    Copy a backup across Regions, without AWS, in a few seconds.

    Starts a local FSx on loopback, adds the example backup of the service's
    documentation to us-east-2, and copies it to us-west-2.

    For example:

      fsxcopy demo
    """
    return anyio.run(_local.demo)
