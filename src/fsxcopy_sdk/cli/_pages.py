"""Reports as pages, and files that are written all at once."""

from __future__ import annotations

import io
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Self

import attrs

from fsxcopy_sdk.cli._options import Globals, Output, usage_error
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.fleet.rendering import Form, ReportFailure, check_form, render
from fsxcopy_sdk.replication import ReplicationReport


@attrs.frozen(kw_only=True)
class PageFailure:
    """The report of a policy that could not be made."""

    policy_name: str
    account: str | None
    source_region: str | None
    destination_region: str | None
    error: FsxCopyError

    @classmethod
    def of(cls, error: FsxCopyError, policy: str, options: Globals) -> Self:
        """Return the failure of what *options* ask for."""
        return cls(
            policy_name=policy,
            account=options.profile,
            source_region=options.source_region,
            destination_region=options.region,
            error=error,
        )


def checked_form(output: Output) -> Form | None:
    """Return the page format that *output* names; its optional dependencies must be installed."""
    if output in ("html", "markdown", "prometheus"):
        check_form(output)
        return output
    return None


def write_page(
    form: Form,
    reports: Sequence[ReplicationReport] = (),
    failures: Sequence[ReportFailure] = (),
) -> None:
    """Write reports, and what failed, as a page."""
    sys.stdout.write(render(form, reports, failures))
    sys.stdout.flush()


def checked_target(out: str | None) -> Path | None:
    """Return the path of --out: a regular file or a new one, in an existing folder."""
    if out is None:
        return None
    # Of a symbolic link the file is replaced that it leads to.
    target = Path(os.path.realpath(out))
    if not target.parent.is_dir():
        raise usage_error(f"--out: must be in a folder that exists, not {out!r:.200}")
    # To rename a file to a device or a pipe would replace that.
    if target.exists() and not target.is_file():
        raise usage_error(f"--out: must be a file, not {out!r:.200}")
    return target


@contextmanager
def written_to(target: Path | None) -> Iterator[None]:
    """
    Write to *target* what the block writes to standard output; None for standard output itself.

    A reader sees the file as it was before or all of the new one, also after a power failure.
    If the block fails, nothing is written.
    """
    if target is None:
        yield
        return
    with redirect_stdout(io.StringIO()) as text:
        yield
    try:
        _replace(target, text.getvalue().encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error


def _replace(target: Path, data: bytes) -> None:
    # Not the ending of the target, by which node-exporter, for example, finds what it reads.
    beside = target.with_name(f".{target.name:.100}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # The mode is what the umask leaves, as that of a file of the shell's.
    descriptor = os.open(beside, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    # That the name leads to the new file is kept by the folder. Windows cannot open one.
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
