"""
The commands and what they take; what they do is in modules of their own.

Those are imported when they are needed, for help and completion must come at once and
the libraries of AWS take their time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

from cyclopts import App, Parameter

from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.cli._options import (
    MAX_AGE,
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
)
from fsxcopy_sdk.cli._text import logging_to_standard_error

if TYPE_CHECKING:
    from fsxcopy_sdk.cli._reporter import Reporter

_HELP = """\
Copy Amazon FSx backups between Regions, wait, keep a second Region ready.

Results go to standard output, everything else to standard error.

For example:

  fsxcopy copy backup-0123456789abcdef0 \\
    --source-region us-east-2 --region us-west-2

Exit codes:

  0    done
  1    some items failed, or something else went wrong
  2    cannot be carried out as it was typed or configured
  3    no credentials, or no permission
  4    not done in time; what the service has accepted goes on
  130  interrupted; what the service has accepted goes on

Where items failed in different ways, the code is 1.
"""

app = App(
    name="fsxcopy",
    help=_HELP,
    help_format="plaintext",
    version_flags=["--version"],
)
app.register_install_completion_command()
app.meta.suppress_keyboard_interrupt = False  # it has its own last words

_BackupIds: TypeAlias = Annotated[
    str, Parameter(help="Ids of backups; `-` for those on standard input.")
]
_Globals: TypeAlias = Annotated[Globals, Parameter(parse=False)]
_COPYING = Copying()
_WAITING = Waiting()
_SELECTION = Selection()
_SCOPE = Scope()
_POLICY = Policy()
# bulk's own default, which would cost an import: a test holds them together.
_IN_PROGRESS = 5
_GLOBALS = Globals()


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


def carry_out(arguments: Sequence[str]) -> Exit:
    """
    Carry out a command line, without the program's name.

    Raises:
        CycloptsError: it is none.
        FsxCopyError: the command did not end well.
        KeyboardInterrupt: it was interrupted.
    """
    result: object = app.meta(
        arguments, exit_on_error=False, print_error=False, result_action="return_value"
    )
    return result if isinstance(result, Exit) else Exit.DONE


def _run(options: Globals, work: Callable[[Reporter], Awaitable[Exit]]) -> Exit:
    import anyio  # noqa: PLC0415 - see above

    from fsxcopy_sdk.cli._reporter import Reporter  # noqa: PLC0415 - see above

    return anyio.run(work, Reporter(options))


@app.command
def copy(
    *backup_ids: _BackupIds,
    copying: Copying = _COPYING,
    waiting: Waiting = _WAITING,
    copy_tags: Annotated[Flag, Parameter(help="Give the copies their sources' tags.")] = False,
    max_in_progress: InProgress = _IN_PROGRESS,
    salt: Annotated[
        str, Parameter(help="Change this text to force another copy of the same backup.")
    ] = "",
    options: _Globals,
) -> Exit:
    r"""
    Copy backups into a Region, and wait until the copies are AVAILABLE.

    A backup that has a copy in that Region is not copied again: an AVAILABLE copy is
    the result, and a copy in progress is waited for.

    For example:

      fsxcopy copy backup-0123456789abcdef0 \
        --source-region us-east-2 --region us-west-2 --tag Purpose=dr
    """
    from fsxcopy_sdk.cli._copy import copy as work  # noqa: PLC0415 - see above

    return _run(
        options,
        partial(
            work,
            options,
            copying,
            waiting,
            backup_ids,
            copy_tags=copy_tags,
            max_in_progress=max_in_progress,
            salt=salt,
        ),
    )


@app.command(name="list")
def list_(*, selection: Selection = _SELECTION, options: _Globals) -> Exit:
    """
    List the backups of a Region.

    For example:

      fsxcopy list --region us-west-2 --file-system-id fs-0123456789abcdef0
    """
    from fsxcopy_sdk.cli._look import list_backups  # noqa: PLC0415 - see above

    return _run(options, partial(list_backups, options, selection))


@app.command
def show(
    backup_id: Annotated[str, Parameter(help="Id of the backup.")], /, *, options: _Globals
) -> Exit:
    """
    Show everything that the service tells of one backup, but for passwords.

    For example:

      fsxcopy show backup-0123456789abcdef0 --region us-west-2
    """
    from fsxcopy_sdk.cli._look import show as work  # noqa: PLC0415 - see above

    return _run(options, partial(work, options, backup_id))


@app.command
def wait(*backup_ids: _BackupIds, waiting: Waiting = _WAITING, options: _Globals) -> Exit:
    """
    Wait until backups are AVAILABLE.

    One that fails or takes too long stops no other. Once interrupted, the
    same command goes on where this one stopped.

    For example:

      fsxcopy wait backup-0123456789abcdef0 --region us-west-2 --max-wait 12h
    """
    from fsxcopy_sdk.cli._wait import wait as work  # noqa: PLC0415 - see above

    return _run(options, partial(work, options, waiting, backup_ids))


@app.command
def plan(*, policy: Policy = _POLICY, max_age: MaxAge = MAX_AGE, options: _Globals) -> Exit:
    r"""
    Show what a sync would do, and why; nothing is changed.

    The exit code is 1 if there is no backup to plan for.

    For example:

      fsxcopy plan --source-region us-east-2 --region us-west-2 \
        --keep-last 7
    """
    from fsxcopy_sdk.cli._replicate import plan as work  # noqa: PLC0415 - see above

    return _run(options, partial(work, options, policy, max_age))


@app.command
def sync(
    *,
    policy: Policy = _POLICY,
    waiting: Waiting = _WAITING,
    max_in_progress: InProgress = _IN_PROGRESS,
    prune: Annotated[
        Flag, Parameter(help="Delete copies that the policy no longer keeps; needs --policy.")
    ] = False,
    prune_orphans: Annotated[
        Flag,
        Parameter(
            help="With --prune: also copies of file systems and volumes that were retired, "
            "of which the source Region shows no AVAILABLE backup."
        ),
    ] = False,
    prune_most: Annotated[
        Flag,
        Parameter(help="With --prune: also more than half of the copies of one source."),
    ] = False,
    dry_run: Annotated[Flag, Parameter(help="Show the plan, and change nothing.")] = False,
    options: _Globals,
) -> Exit:
    r"""
    Copy the newest backups of a Region to another one, where they are not yet.

    It may be interrupted or killed and run again. The newest copy is never pruned.
    The exit code is 1 if there is no backup to copy, or if copies were held back
    from pruning.

    For example:

      fsxcopy sync --source-region us-east-2 --region us-west-2 \
        --policy nightly --keep-last 7 --prune
    """
    from fsxcopy_sdk.cli._replicate import sync as work  # noqa: PLC0415 - see above

    return _run(
        options,
        partial(
            work,
            options,
            policy,
            waiting,
            pruning=Pruning(prune=prune, orphans=prune_orphans, most=prune_most),
            dry_run=dry_run,
            max_in_progress=max_in_progress,
        ),
    )


@app.command
def report(*, scope: Scope = _SCOPE, max_age: MaxAge = MAX_AGE, options: _Globals) -> Exit:
    """
    Tell of every file system and volume how old its newest copy is.

    The exit code is 1 where one is late.

    For example:

      fsxcopy report --source-region us-east-2 --region us-west-2 --max-age 25h
    """
    from fsxcopy_sdk.cli._replicate import report as work  # noqa: PLC0415 - see above

    return _run(options, partial(work, options, scope, max_age))


@app.command
def delete(
    *backup_ids: _BackupIds,
    yes: Annotated[Flag, Parameter(help="Do not ask first.")] = False,
    options: _Globals,
) -> Exit:
    """
    Delete backups for good.

    For example:

      fsxcopy delete backup-0123456789abcdef0 --region us-west-2
    """
    from fsxcopy_sdk.cli._delete import delete as work  # noqa: PLC0415 - see above

    return _run(options, partial(work, options, backup_ids, yes))


@app.command
def local(
    *,
    port: Annotated[Port, Parameter(help="TCP port on 127.0.0.1; 0 for any free one.")] = 0,
    speed: Annotated[
        Speed, Parameter(help="How many times as fast as real time its clock runs.")
    ] = 1.0,
    copy_duration: Annotated[
        Duration, Parameter(help="How long a copy takes by its clock.")
    ] = timedelta(minutes=5),
    with_example: Annotated[
        Flag, Parameter(help="Put an example backup into us-east-2, and print its id.")
    ] = False,
) -> Exit:
    """
    Run a local FSx for tests and trials until it is interrupted.

    It prints its URL, for the option --endpoint-url. Any credentials will do:
    AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any.

    For example:

      fsxcopy local --speed 60 --with-example
    """
    import anyio  # noqa: PLC0415 - see above

    from fsxcopy_sdk.cli._local import serve  # noqa: PLC0415 - see above

    return anyio.run(serve, port, speed, copy_duration, with_example)


@app.command
def demo() -> None:
    """
    Copy a backup across Regions, without AWS, in a few seconds.

    Starts a local FSx on loopback, puts the example backup of the service's
    documentation into us-east-2, and copies it to us-west-2.

    For example:

      fsxcopy demo
    """
    import anyio  # noqa: PLC0415 - see above

    from fsxcopy_sdk.cli._demo import run_demo  # noqa: PLC0415 - see above

    anyio.run(run_demo)
