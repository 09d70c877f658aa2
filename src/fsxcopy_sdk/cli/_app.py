"""
The commands, their options, and what surrounds them: standard input, errors, exit codes.

The modules that carry the commands out are imported when they are needed, because help
and completion must be quick and the AWS libraries are slow to import.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import anyio
from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.exceptions import UnknownCommandError
from cyclopts.validators import Number

import fsxcopy_sdk
from fsxcopy_sdk._validation import DEFAULT_MAX_AGE, printable
from fsxcopy_sdk.cli._help import HelpPage, describe_usage_error
from fsxcopy_sdk.cli._options import (
    COPY_DURATION,
    MESSAGES,
    ONE_REGION,
    PAGES,
    PROGRAM,
    TWO_REGIONS,
    CopyOptions,
    Deletion,
    Duration,
    Flag,
    Globals,
    Listing,
    LogLevel,
    MaxAge,
    Out,
    PlanOut,
    Policy,
    Retention,
    Scope,
    Selection,
    SyncOptions,
    Waiting,
    checked_ids,
    given,
    option_of,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Exit, describe_errors, exit_of
from fsxcopy_sdk.cli._output import logging_to_standard_error
from fsxcopy_sdk.cli._screen import Screen
from fsxcopy_sdk.cli._signals import Interruption, signals
from fsxcopy_sdk.cli._streams import OutputError, read_input, standard_streams
from fsxcopy_sdk.cli._tables import wrapped
from fsxcopy_sdk.errors import FsxCopyError


class _Lazy:
    """A module of this package that is imported when one of its names is used."""

    def __init__(self, name: str) -> None:
        self._name = f"fsxcopy_sdk.cli.{name}"

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    from fsxcopy_sdk.cli import _backups, _deletion, _fleet, _listing, _local, _replication
else:
    _backups, _deletion, _fleet, _listing, _local, _replication = map(
        _Lazy, ("_backups", "_deletion", "_fleet", "_listing", "_local", "_replication")
    )

_HELP = """\
Copy Amazon FSx backups between Regions, wait for them, and keep a second Region in sync.

Results go to standard output, everything else to standard error.

For example:

  fsxcopy copy backup-0123456789abcdef0 \\
    --source-region us-east-2 --region us-west-2

Exit codes:

  0    done
  1    some items failed, or another error
  2    usage or configuration error
  3    no credentials, or no permission
  4    not finished in time, or not observed to end; accepted copies continue at the service
  130  interrupted (143 by SIGTERM, 129 by SIGHUP); accepted copies continue at the service

If items failed in different ways, the code is 1.
"""

_COMPLETION, _VERSION = "--install-completion", "--version"

app = App(
    name=PROGRAM,
    version=lambda: fsxcopy_sdk.__version__,
    help=_HELP,
    help_format="plaintext",
    help_formatter=HelpPage(TWO_REGIONS),
    group_parameters=Group("Options", sort_key=1),
    version_flags=[_VERSION],
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
app.register_install_completion_command(name=_COMPLETION)
app.meta.suppress_keyboard_interrupt = False  # `run` reports an interruption itself

# The help of the application shows the global options, because they are those of its `meta`.
# This one reads them: as `meta`, it would find out six times what they are, which takes as
# long as importing Cyclopts.
_launcher = App(
    name=PROGRAM,
    help_flags=(),
    version_flags=(),
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)

_BackupIds: TypeAlias = Annotated[
    str, Parameter(help="IDs of backups; `-` reads them from standard input.")
]
_IDS = "[OPTIONS] BACKUP_IDS..."
_Work: TypeAlias = partial[Coroutine[Any, Any, Exit]]
"""What a command does, once it is given the global options."""

_PORT = Parameter(validator=Number(gte=0, lte=65535), metavar="PORT")
# Cyclopts requires a default where all options have one.
_COPY = CopyOptions()
_DELETION = Deletion()
_GLOBALS = Globals()
_LISTING = Listing()
_POLICY = Policy()
_RETENTION = Retention()
_SCOPE = Scope()
_SELECTION = Selection()
_SYNC = SyncOptions()
_WAITING = Waiting()


def run(arguments: Sequence[str]) -> int:
    """Run a command line, report errors on standard error, and return the exit code."""
    with standard_streams():
        try:
            code = _run(arguments)
            sys.stdout.flush()
        except OutputError as error:
            if signals.name or error.is_closed_by_reader:  # its reader needs no more
                return signals.exit_code if signals.name else Exit.FAILED
            return _fail(Exit.FAILED, f"the output cannot be written: {error}")
        except KeyboardInterrupt:
            sender = "" if signals.name in (None, "SIGINT") else f" by {signals.name}"
            return _fail(signals.exit_code, f"interrupted{sender}")
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        try:
            # Of the options for completions one is called like a global option.
            launcher = app.meta if _COMPLETION in arguments else _launcher
            # The application would keep its first console, with what that could not write. Help
            # has one of its own, and commands need none.
            console = Screen().console if _VERSION in arguments else None
            code = launcher([*_with_standard_input(arguments)], console=console)
        except BaseExceptionGroup as group:
            # The first error of a task group cancelled the other tasks.
            error: BaseException = group
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from group
    except CycloptsError as error:
        return _fail(Exit.USAGE, _describe_usage_error(error, arguments))
    except FsxCopyError as error:
        return _fail(exit_of(error), *describe_errors(error))
    except OSError as error:  # of a file for completions, say: those of the output are others
        where = f"{error.filename}: " if error.filename else ""
        return _fail(Exit.FAILED, f"{where}{error.strerror or error}")
    return code or Exit.DONE


_FILE_OPTIONS = ("--config", "-c", "--out", "--plan")
"""The options whose value is the name of a file, for which standard input is not read."""


def _with_standard_input(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, with the words of standard input in place of a `-` among IDs."""
    for before, argument in pairwise(("", *arguments)):
        if argument != "-" or before in _FILE_OPTIONS:
            yield argument
            continue
        for word in read_input().split():
            if word.startswith("-"):  # it would be taken for an option
                raise usage_error(f"standard input: must be ids, not {word!r:.80}")
            yield word


def _fail(code: int, *texts: str) -> int:
    for text in texts:
        for line in wrapped(f"fsxcopy: {printable(text)}", Screen(is_error=True).width):
            print(line, file=sys.stderr)  # noqa: T201 - a command's output
    return code


def _describe_usage_error(error: CycloptsError, arguments: Sequence[str]) -> str:
    # An error before the command was found does not say which it is.
    names = error.command_chain or arguments
    command = next((one for one in names if one in _TAKES), None)
    return describe_usage_error(error, command, _TAKES, _TAKES.get(command or "", TWO_REGIONS))


@_launcher.default
@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    options: Globals = _GLOBALS,
) -> Exit | None:
    command, bound, _ = app.parse_args(tokens)
    name = command.__name__.rstrip("_")
    # Help, the version and the completion take all options.
    if refused := given(options) - _TAKES.get(name, TWO_REGIONS):
        texts = " and ".join(map(option_of, sorted(refused)))
        raise CycloptsError(msg=f"{PROGRAM} {name} does not take {texts}.", command_chain=(name,))
    if options.output in PAGES and name not in _WITH_PAGES:
        text = f"{PROGRAM} {name} does not take --output {options.output}, which is for reports."
        raise CycloptsError(msg=text, command_chain=(name,))
    usual = LogLevel.ERROR if options.quiet else LogLevel.WARNING
    with logging_to_standard_error(options.log_level or usual):
        # They leave no work, too.
        work: _Work | None = command(*bound.args, **bound.kwargs)
        if work is None:
            return None
        # While the event loop starts and ends, a signal is only noted.
        with signals.calling(lambda: None):
            code = anyio.run(_until_signal, work, options)
        if code is None:
            raise Interruption
        return code


async def _until_signal(work: _Work, options: Globals) -> Exit | None:
    """Do the work, which the first signal cancels; return None then."""
    loop = asyncio.get_running_loop()
    with (
        signals.waking(loop),
        anyio.CancelScope() as scope,
        # A handler runs anywhere in the loop's own code, so the scope cannot be cancelled there.
        signals.calling(lambda: loop.call_soon_threadsafe(scope.cancel)),
    ):
        return await work(options)
    return None


_TAKES: dict[str, frozenset[str]] = {}
"""The global options that each command takes."""
_WITH_PAGES: set[str] = set()
"""The commands whose results can be written as pages."""
_Command = TypeVar("_Command", bound=Callable[..., object])


def _command(
    takes: frozenset[str], *, usage: str | None = None, has_pages: bool = False
) -> Callable[[_Command], _Command]:
    """Add a function as the command of its name, which takes some of the global options."""

    def add(function: _Command) -> _Command:
        name = function.__name__.rstrip("_")
        _TAKES[name] = takes
        if has_pages:
            _WITH_PAGES.add(name)
        full = usage and f"Usage: {PROGRAM} {name} {usage}"
        page = HelpPage(takes, has_pages=has_pages)
        app.command(function, name=name, help_formatter=page, usage=full)
        return function

    return add


@_command(TWO_REGIONS, usage=_IDS)
def copy(*backup_ids: _BackupIds, how: CopyOptions = _COPY) -> _Work:
    r"""
    Copy backups into a Region, and wait until the copies are AVAILABLE.

    A backup that already has a copy in that Region is not copied again. If its copy is
    in progress, the command waits for it. With --no-wait run the command again, minutes
    later, until nothing is left.

    For example:

      fsxcopy copy backup-0123456789abcdef0 \
        --source-region us-east-2 --region us-west-2 --tag Purpose=dr
    """
    return partial(_backups.copy, checked_ids(backup_ids), how)


@_command(ONE_REGION)
def list_(*, selection: Selection = _SELECTION, listing: Listing = _LISTING) -> _Work:
    """
    List the backups of a Region.

    A terminal that is too narrow gets fewer columns; --output json has everything.

    For example:

      fsxcopy list --region us-west-2 --sort created --reverse --limit 20
    """
    return partial(_listing.list_backups, selection, listing)


@_command(ONE_REGION)
def show(backup_id: Annotated[str, Parameter(help="ID of the backup.")], /) -> _Work:
    """
    Show all members of one backup; passwords are masked.

    For example:

      fsxcopy show backup-0123456789abcdef0 --region us-west-2
    """
    return partial(_listing.show, backup_id)


@_command(ONE_REGION, usage=_IDS)
def wait(*backup_ids: _BackupIds, waiting: Waiting = _WAITING) -> _Work:
    """
    Wait until backups are AVAILABLE.

    A backup that fails or times out does not stop the waits for others. The command
    keeps no state except the IDs: if it is interrupted, run it again.

    For example:

      fsxcopy wait backup-0123456789abcdef0 --region us-west-2 --max-wait 12h
    """
    return partial(_backups.wait, checked_ids(backup_ids), waiting)


@_command(TWO_REGIONS)
def plan(
    *, policy: Policy = _POLICY, max_age: MaxAge = DEFAULT_MAX_AGE, out: PlanOut = None
) -> _Work:
    r"""
    Show what a sync would do, and why; nothing is changed.

    The exit code is 1 if there is no backup to plan for. With --out the plan can be read
    first and carried out later, by sync --plan, which checks it against both Regions again.

    For example:

      fsxcopy plan --source-region us-east-2 --region us-west-2 \
        --newest 3 --keep-last 7
    """
    work = _fleet if policy.scope.config is not None else _replication
    return partial(work.plan, policy, max_age, out)


@_command(TWO_REGIONS)
def sync(*, how: SyncOptions = _SYNC) -> _Work:
    r"""
    Copy the newest backups of a Region to another one, except those that have copies.

    The command can be interrupted or killed and run again. The newest copy is never
    pruned. The exit code is 1 if a copy failed, if the source Region shows no backup of
    the policy, or if copies were held back from pruning.

    For example:

      fsxcopy sync --source-region us-east-2 --region us-west-2 \
        --policy nightly --newest 3 --keep-last 7 --prune
    """
    work = _fleet if how.policy.scope.config is not None else _replication
    return partial(work.sync, how)


@_command(TWO_REGIONS, has_pages=True)
def report(
    *,
    scope: Scope = _SCOPE,
    retention: Retention = _RETENTION,
    max_age: MaxAge = DEFAULT_MAX_AGE,
    out: Out = None,
) -> _Work:
    r"""
    Show the age of the newest copy of each file system and volume.

    The exit code is 1 if one is late. --output html writes a page to look at, with the
    backups and copies of the last 90 days; prometheus writes metrics to alert on, and
    markdown tables for a mail or a ticket.

    For example:

      fsxcopy report --source-region us-east-2 --region us-west-2 --max-age 36h \
        --output html --out report.html
    """
    work = _fleet if scope.config is not None else _replication
    return partial(work.report, scope, retention, max_age, out)


@_command(frozenset())
def config(
    action: Annotated[
        Literal["check", "schema", "example"],
        Parameter(
            help="Find all errors in FILE; print its JSON Schema, for editors; or an example.",
            show_choices=True,
        ),
    ],
    file: Annotated[str | None, Parameter(help="The file to check.")] = None,
    /,
) -> _Work:
    """
    Check a file of policies, or print its JSON Schema or an example.

    Such a file has the policies of many accounts and Regions, for the option --config of
    plan, sync and report.

    For example:

      fsxcopy config example > fsxcopy.toml

      fsxcopy config check fsxcopy.toml
    """
    return partial(_fleet.config, action, file)


@_command(ONE_REGION, usage=_IDS)
def delete(*backup_ids: _BackupIds, how: Deletion = _DELETION) -> _Work:
    """
    Delete backups permanently.

    At a terminal the backups are shown before they are deleted, with their size, their
    date, and what they are of.

    For example:

      fsxcopy delete backup-0123456789abcdef0 --region us-west-2 --dry-run
    """
    return partial(_deletion.delete, checked_ids(backup_ids), how)


@_command(frozenset())
def local(
    *,
    port: Annotated[int, _PORT, Parameter(help="TCP port on 127.0.0.1; 0 for any free one.")] = 0,
    speed: Annotated[
        float, Parameter(help="Speed of its clock, as a multiple of real time.", metavar="FACTOR")
    ] = 1.0,
    copy_duration: Annotated[
        Duration, Parameter(help="Duration of a copy, by its clock.")
    ] = COPY_DURATION,
    with_example: Annotated[
        Flag, Parameter(help="Add an example backup to us-east-2, and print its ID.")
    ] = False,
) -> _Work:
    """
    Run a local FSx for tests and trials until it is interrupted.

    It prints its URL, for the option --endpoint-url, and accepts any credentials, such
    as AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any.

    For example:

      fsxcopy local --speed 60 --with-example
    """
    return partial(_local.serve, port, speed, copy_duration, with_example)


@_command(MESSAGES)
def demo() -> _Work:
    """
    Copy a backup across Regions, without AWS, in a few seconds.

    Starts a local FSx on loopback, adds the example backup of the service's
    documentation to us-east-2, and copies it to us-west-2.

    For example:

      fsxcopy demo
    """
    return partial(_local.demo)


@_command(frozenset(), usage="[COMMAND]")
def help_(command: Annotated[str | None, Parameter(help="Its name.")] = None, /) -> None:
    """
    Show the help of a command, as its option --help does.

    For example:

      fsxcopy help copy
    """
    if command and command not in _TAKES:
        raise UnknownCommandError(unused_tokens=[command])
    app.meta([*filter(None, [command]), "--help"])
