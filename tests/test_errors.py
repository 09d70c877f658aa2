"""The tree of errors: its shape, what each error carries, and how it travels."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import UTC, datetime

import attrs
import pytest
from document_style import assert_style

from fsxcopy_sdk import errors
from fsxcopy_sdk.enums import BackupLifecycle, BackupType, ServiceLimit
from fsxcopy_sdk.errors import (
    BackupCopyFailed,
    BackupNotFound,
    ConfigurationError,
    FsxCopyError,
    InvalidArguments,
    NoResponse,
    RequestTimeout,
    ResponseDecodingError,
    ServiceError,
    ServiceLimitExceeded,
    WaitTimeout,
)
from fsxcopy_sdk.models import Backup, BackupFailureDetails

_CLASSES: list[type[FsxCopyError]] = [getattr(errors, name) for name in errors.__all__]

_every_class = pytest.mark.parametrize("cls", _CLASSES, ids=lambda cls: cls.__name__)

_BACKUP = Backup(
    backup_id="backup-0123456789abcdef0",
    lifecycle=BackupLifecycle.FAILED,
    type=BackupType.USER_INITIATED,
    creation_time=datetime(2021, 4, 9, tzinfo=UTC),
    failure_details=BackupFailureDetails(message="the key is gone"),
)

_SAMPLES: dict[str, object] = {
    "attempts": 3,
    "backup": _BACKUP,
    "backup_id": "backup-0123456789abcdef0",
    "body": b"{}",
    "client_request_token": "token",
    "code": "SomeCode",
    "elapsed": 12.5,
    "error_paths": ("one", "two"),
    "errors": ("one", "two"),
    "file_system_id": "fs-01234567",
    "http_status": 418,
    "is_malformed": True,
    "last_backup": _BACKUP,
    "limit": ServiceLimit("TOTAL_PATIENCE"),
    "max_wait": 60.0,
    "may_have_been_sent": False,
    "message": "What happened",
    "next_token": "AAAA",
    "operation": "CopyBackup",
    "parameter": "Tags",
    "payload": {"Backup": b"\xff"},
    "polls": 7,
    "region": "us-west-2",
    "request_id": "request-1",
}
"""A value for every field that an error has, none of them the default."""


def _sample(cls: type[FsxCopyError]) -> FsxCopyError:
    """Make an error with a value in every field."""
    names = [field.name for field in attrs.fields(cls) if field.init]
    error = cls(**{name: _SAMPLES[name] for name in names})  # type: ignore[arg-type]  # each class has other fields
    error.accepted_backup_id = "backup-0a0a0a0a"
    return error


def _fields_of(error: FsxCopyError) -> dict[str, object]:
    return {field.name: getattr(error, field.name) for field in attrs.fields(type(error))}


@_every_class
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_survives_pickle_and_copies(cls: type[FsxCopyError], protocol: int) -> None:
    """A copy is of the same class with the same text and fields, those set later included."""
    error = _sample(cls)
    error.message = "Said later"
    error.add_note("while testing")
    pickled = pickle.dumps(error, protocol)

    for other in (pickle.loads(pickled), copy.copy(error), copy.deepcopy(error)):
        assert (cls, _fields_of(error)) == (type(other), _fields_of(other))
        assert str(error) == str(other)
        assert ["while testing"] == other.__notes__


@_every_class
def test_defaults_survive_pickle(cls: type[FsxCopyError]) -> None:
    """An error with no more than what it needs comes back from pickle the same."""
    needed = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    error = cls(**{name: _SAMPLES[name] for name in needed})  # type: ignore[arg-type]  # as above
    assert _fields_of(error) == _fields_of(pickle.loads(pickle.dumps(error)))


@_every_class
def test_can_be_raised_twice(cls: type[FsxCopyError]) -> None:
    """An error can be raised, caught and raised again, which frozen classes cannot."""
    error = _sample(cls)
    for _ in range(2):
        with pytest.raises(cls) as caught:
            raise error
        assert error is caught.value


def _drawn() -> list[tuple[str, str]]:
    """Return class and parent of the tree in the docstring, parents found by indentation."""
    assert errors.__doc__
    tree = errors.__doc__.split("\n\n")[1]
    drawn: list[tuple[str, str]] = []
    above: dict[int, str] = {}
    for line in tree.splitlines():
        found = re.search(r"[A-Z]\w+(, [A-Z]\w+)*,?", line)
        assert found
        column = found.start()
        # Names that go on in another line are brothers of those above them.
        depths = [depth for depth in above if depth < column]
        parent = above[max(depths)] if depths else "Exception"
        names = found[0].strip(",").split(", ")
        drawn.extend((name, parent) for name in names)
        above = {depth: name for depth, name in above.items() if depth < column}
        if len(names) == 1:
            above[column] = names[0]
    return drawn


def _parent(cls: type[FsxCopyError]) -> type:
    """Return the exception that a class is first of all."""
    return next(base for base in cls.__bases__ if issubclass(base, Exception))


def test_tree_is_drawn_as_it_is() -> None:
    """The tree in the docstring has exactly the classes there are, each below its base."""
    real = [(cls.__name__, _parent(cls).__name__) for cls in _CLASSES]
    assert sorted(real) == sorted(_drawn())


@pytest.mark.parametrize(
    ("builtin", "expected"),
    [(TimeoutError, {RequestTimeout, WaitTimeout}), (ValueError, {InvalidArguments})],
    ids=["TimeoutError", "ValueError"],
)
def test_builtin_bases(builtin: type[Exception], expected: set[type[Exception]]) -> None:
    """What Python has a word for is caught by that word too, and nothing else is."""
    assert expected == {cls for cls in _CLASSES if issubclass(cls, builtin)}


def test_nothing_is_left_out_of_all() -> None:
    """The classes below the root, and no others, can be imported from the package of errors."""
    found, waiting = set(), [FsxCopyError]
    while waiting:
        cls = waiting.pop()
        found.add(cls.__name__)
        waiting.extend(one for one in cls.__subclasses__() if "fsxcopy_sdk" in one.__module__)
    assert sorted(found) == sorted(errors.__all__)


_TRANSIENT = {
    "BackupBeingCopied",
    "BackupInProgress",
    "BackupRestoring",
    "ConnectionFailed",
    "InternalServerError",
    "RequestTimeout",
    "ResponseDecodingError",
    "ServiceUnavailable",
    "Throttled",
    "WaitTimeout",
}


@_every_class
def test_is_transient(cls: type[FsxCopyError]) -> None:
    """Broken connections and answers, timeouts, overload, throttling and work in progress pass."""
    assert (cls.__name__ in _TRANSIENT) == _sample(cls).is_transient


@pytest.mark.parametrize("worked_before", [True, False])
@pytest.mark.parametrize("is_temporary", [True, False])
@pytest.mark.parametrize("cls", [errors.CredentialsUnavailable, NoResponse])
def test_credentials_that_worked_before_may_do_so_again(
    cls: type[errors.CallError], is_temporary: bool, worked_before: bool
) -> None:
    """A failure to renew them passes if its source says so, and if the client has been right."""
    error = cls("no")
    error.is_temporary, error.worked_before = is_temporary, worked_before
    for other in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (is_temporary and worked_before) == other.is_transient


def test_a_clock_that_was_right_may_be_so_again() -> None:
    """Requests of another time pass if the client's clock was right before."""
    error = errors.ClockSkewed("Signature expired")
    assert not error.is_transient
    error.worked_before = True
    assert error.is_transient


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        *((False, status) for status in (400, 403, 428, 430, 499)),
        *((True, status) for status in (429, 500, 503, 504)),
    ],
)
def test_is_transient_by_status(expected: bool, status: int) -> None:
    """An error answer of an unknown code is judged by its HTTP status."""
    assert expected == ServiceError("?", code="NewCode", http_status=status).is_transient


@pytest.mark.parametrize("status", [300, 302, 400, 403, 404, 407, 413, 503])
def test_is_transient_without_a_code(status: int) -> None:
    """An error answer that is no error document is not the service's, whatever its status."""
    assert ServiceError("?", code=str(status), http_status=status).is_transient


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BackupNotFound("none", operation="CopyBackup"), "BackupNotFound (CopyBackup): none"),
        (
            BackupNotFound("none", operation="CopyBackup", region="us-west-2"),
            "BackupNotFound (CopyBackup in us-west-2): none",
        ),
        (BackupNotFound("none", region="us-west-2"), "BackupNotFound (us-west-2): none"),
        (BackupNotFound("none"), "BackupNotFound: none"),
        (NoResponse("gone", operation="CopyBackup"), "CopyBackup: gone"),
        (NoResponse("gone", "CopyBackup", "us-west-2"), "CopyBackup in us-west-2: gone"),
        (NoResponse("gone"), "gone"),
        (ConfigurationError("no", "CopyBackup", "us-west-2"), "CopyBackup in us-west-2: no"),
        (ConfigurationError("no"), "no"),
    ],
    ids=str,
)
def test_text(error: FsxCopyError, text: str) -> None:
    """The message follows operation and Region, where known, and the code of an error answer."""
    assert text == str(error)


@pytest.mark.parametrize("limit", ServiceLimit)
def test_limit_that_clears_by_waiting(limit: ServiceLimit) -> None:
    """Of the limits only that on copies in progress passes by waiting."""
    expected = limit is ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS
    assert expected == ServiceLimitExceeded("too many", limit=limit).is_transient


def test_code_of_an_error() -> None:
    """An error made without a code has its class's name as code, and else the service's own."""
    assert "ServiceLimitExceeded" == ServiceLimitExceeded("no more").code
    assert "SlowDown" == errors.Throttled("slower", code="SlowDown").code


@pytest.mark.parametrize(
    "error",
    [ResponseDecodingError("no", payload=b"hunter2"), ServiceError("no", body=b"hunter2")],
    ids=["payload", "body"],
)
def test_what_was_received_stays_out_of_repr(error: FsxCopyError) -> None:
    """What was received may hold secrets, so the repr does not show it."""
    assert "hunter2" not in repr(error)


@_every_class
def test_document(cls: type[FsxCopyError]) -> None:
    """A document has the style of all, every field but what was received, and the cause."""
    error = _sample(cls)
    error.__cause__ = OSError("no route")
    document = error.to_dict()

    assert_style(document)
    assert (cls.__name__, "What happened") == (document["Type"], document["Message"])
    assert error.is_transient is document["IsTransient"]
    assert {"Type": "OSError", "Message": "no route"} == document["Cause"]
    fields = {name for name, value in _fields_of(error).items() if value is not None}
    left_out = {"body", "payload", "refused_attempts", "is_temporary", "worked_before"}
    names = {name.lower() for name in document}
    assert {name.replace("_", "") for name in fields - left_out} <= names
    assert not {name.replace("_", "") for name in left_out} & names


def test_document_of_a_limit() -> None:
    """The document of an error of the service has what the service sent, by its own names."""
    error = ServiceLimitExceeded(
        "too many",
        "CopyBackup",
        "us-west-2",
        "token",
        2,
        limit=ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS,
        request_id="request-1",
        body=b"hunter2",
    )
    assert {
        "Version": 1,
        "Type": "ServiceLimitExceeded",
        "Message": "too many",
        "IsTransient": True,
        "Operation": "CopyBackup",
        "Region": "us-west-2",
        "ClientRequestToken": "token",
        "Attempts": 2,
        "Code": "ServiceLimitExceeded",
        "RequestId": "request-1",
        "HttpStatus": 400,
        "Limit": "TOTAL_IN_PROGRESS_COPY_BACKUPS",
    } == error.to_dict()


def test_document_of_a_wait() -> None:
    """The document of a wait has what was last seen, in short."""
    error = WaitTimeout("too late", _BACKUP.backup_id, 3, 61.5, 60.0, _BACKUP)
    assert {
        "Version": 1,
        "Type": "WaitTimeout",
        "Message": "too late",
        "IsTransient": True,
        "BackupId": _BACKUP.backup_id,
        "Polls": 3,
        "Elapsed": 61.5,
        "MaxWait": 60.0,
        "LastBackup": {"BackupId": _BACKUP.backup_id, "Lifecycle": "FAILED"},
    } == error.to_dict()


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (BackupFailureDetails(message="the key is gone"), "the key is gone"),
        (BackupFailureDetails(), None),
        (None, None),
    ],
    ids=["message", "no-message", "no-details"],
)
def test_reason(details: BackupFailureDetails | None, expected: str | None) -> None:
    """A failed copy gives the service's reason, where there is one."""
    backup = attrs.evolve(_BACKUP, failure_details=details)
    assert expected == BackupCopyFailed("failed", backup.backup_id, 1, 1.0, backup).reason


def test_timeouts_have_no_errno() -> None:
    """Errors that are a TimeoutError too do not take their fields for an errno."""
    error = WaitTimeout("too late", "backup-1", 1, 1.0, 1.0)
    assert (None, None, "too late") == (error.errno, error.filename, str(error))


def test_errors_are_compared_by_identity() -> None:
    """Two errors are different exceptions even where they say the same."""
    one, other = (BackupNotFound("There is none") for _ in range(2))
    assert one != other
