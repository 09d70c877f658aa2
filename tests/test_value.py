"""
Objects that are their members; tests/test_models.py compares the models with attrs' own.
"""

from __future__ import annotations

import attrs
import pytest

from fsxcopy_sdk import WaitSchedule
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.errors import BackupBeingCopied, ConfigurationError, FsxCopyError
from fsxcopy_sdk.models import BackupFilter


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ConfigurationError(message='no Region')", ConfigurationError("no Region")),
        (
            (
                "BackupBeingCopied(message='busy', operation='DeleteBackup',"
                " client_request_token=None, attempts=2, code='BackupBeingCopied',"
                " request_id='r-1', http_status=400, backup_id='backup-0123456789abcdef0')"
            ),
            BackupBeingCopied(
                "busy",
                operation="DeleteBackup",
                attempts=2,
                request_id="r-1",
                body=b"hunter2",
                backup_id="backup-0123456789abcdef0",
            ),
        ),
    ],
)
def test_errors_show_their_members(text: str, error: Exception) -> None:
    """
    An error shows every member by its name, but for those that may hold secrets.
    """
    assert text == repr(error)


def test_an_error_of_the_users_hides_what_it_hides() -> None:
    """
    A class in the house's form has attrs' ways to show a member, and may hold itself.
    """

    @attrs.define(slots=False, eq=False, repr=False)
    class TooDear(FsxCopyError):
        price: int = attrs.field(default=7, repr=lambda _: "***")
        account: str | None = attrs.field(default=None, repr=False)
        within: object = None

    error = TooDear("no", account="hunter2")
    error.within = error

    name = TooDear.__qualname__
    assert f"{name}(message='no', price=***, within=...)" == repr(error)


def test_errors_are_equal_to_themselves_alone() -> None:
    """
    Two errors of the same members are two errors.
    """
    first, second = ConfigurationError("no"), ConfigurationError("no")

    assert {first, second} - {first} == {second}


@pytest.mark.parametrize(
    ("text", "one", "same", "other"),
    [
        (
            "WaitSchedule(min_delay=2.0, max_delay=9.0, not_found_grace=60.0)",
            WaitSchedule(min_delay=2, max_delay=9),
            WaitSchedule(min_delay=2.0, max_delay=9),
            WaitSchedule(min_delay=3, max_delay=9),
        ),
        (
            "BackupFilter(name=<FilterName.VOLUME_ID: 'volume-id'>, values=('fsvol-1',))",
            BackupFilter("volume-id", "fsvol-1"),
            BackupFilter(FilterName.VOLUME_ID, ["fsvol-1"]),
            BackupFilter("volume-id", "fsvol-2"),
        ),
    ],
)
def test_values_are_their_members(text: str, one: object, same: object, other: object) -> None:
    """
    Arguments that are objects are equal where their members are, and show them.
    """
    assert (text, {one}) == (repr(one), {one, same})
    assert one != other
