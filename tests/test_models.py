"""
The models as classes: frozen, comparable, quiet about secrets.
"""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import get_type_hints

import attrs
import pytest
import service_model
from botocore import xform_name  # type: ignore[attr-defined]  # not in our stubs
from botocore.model import StructureShape  # type: ignore[import-untyped]  # no types
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import models
from fsxcopy_sdk.enums import BackupLifecycle, BackupType, FilterName
from fsxcopy_sdk.errors import FsxCopyError, InvalidArguments
from fsxcopy_sdk.models import (
    Backup,
    BackupFailureDetails,
    BackupFilter,
    CopyBackupResponse,
    LifecycleTransitionReason,
    OntapFileSystemConfiguration,
    ResponseMetadata,
)

_MODELS: list[type[attrs.AttrsInstance]] = [getattr(models, name) for name in models.__all__]

_every_model = pytest.mark.parametrize("cls", _MODELS, ids=lambda cls: cls.__name__)

_BACKUP = Backup(
    backup_id="backup-0123456789abcdef0",
    lifecycle=BackupLifecycle.AVAILABLE,
    type=BackupType.AUTOMATIC,
    creation_time=datetime(2021, 4, 9, tzinfo=UTC),
)


@_every_model
def test_slots(cls: type[attrs.AttrsInstance]) -> None:
    """
    Instances have slots and no dict, so that a misspelt member cannot be set.
    """
    assert "__slots__" in vars(cls)
    assert "__dict__" not in dir(cls)


@_every_model
def test_lists_are_tuples(cls: type[attrs.AttrsInstance]) -> None:
    """
    No member is a list, which could be changed.
    """
    hints = {name: str(hint) for name, hint in get_type_hints(cls).items()}

    assert {} == {name: hint for name, hint in hints.items() if "list[" in hint}


@_every_model
def test_members_are_given_by_name(cls: type[attrs.AttrsInstance]) -> None:
    """
    Members are given by name, but for the filter, whose two parts read like a phrase.
    """
    expected = cls is not BackupFilter

    assert {expected} == {field.kw_only for field in attrs.fields(cls)}


@_every_model
def test_nothing_but_members(cls: type[attrs.AttrsInstance]) -> None:
    """
    A model is its members and no more, as the conversion fills it without `__init__`.

    The filter alone has converters, for users: the conversion makes the same by itself.
    """
    fields = attrs.fields(cls)

    assert [] == [name for name in vars(cls) if name.startswith("__attrs_p") and "_init" in name]
    assert [] == [field.name for field in fields if field.validator or not field.init]
    if cls is not BackupFilter:
        assert [] == [field.name for field in fields if field.converter]


@_every_model
def test_defaults(cls: type[attrs.AttrsInstance]) -> None:
    """
    A member that may be absent is None or an empty tuple then.
    """
    defaults = {field.default for field in attrs.fields(cls) if field.name != "metadata"}

    if cls is not ResponseMetadata:
        assert set() == defaults - {None, (), attrs.NOTHING}


def test_frozen() -> None:
    """
    A member cannot be set anew.
    """
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        _BACKUP.backup_id = "backup-1"  # type: ignore[misc]  # on purpose


def test_compared_by_value() -> None:
    """
    Two instances with equal members are equal and have one hash.
    """
    assert {_BACKUP} == {_BACKUP, attrs.evolve(_BACKUP)}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_survives_pickle(protocol: int) -> None:
    """
    A model comes back from pickle equal.
    """
    response = CopyBackupResponse(backup=_BACKUP)

    assert response == pickle.loads(pickle.dumps(response, protocol))


def test_survives_copies() -> None:
    """
    Copies of a model are equal to it.
    """
    assert (_BACKUP, _BACKUP) == (copy.copy(_BACKUP), copy.deepcopy(_BACKUP))


def test_metadata_is_not_compared() -> None:
    """
    Two responses of the same content are equal, however the exchanges went.
    """
    one = CopyBackupResponse(backup=_BACKUP)
    other = CopyBackupResponse(backup=_BACKUP, metadata=ResponseMetadata(attempts=2))

    assert (one, hash(one)) == (other, hash(other))


def _twin(cls: type[attrs.AttrsInstance]) -> type:
    """
    Return a class with the same members, whose methods attrs has written.
    """
    members = {
        field.name: attrs.field(default=field.default, eq=field.eq, repr=field.repr)
        for field in attrs.fields(cls)
    }
    return attrs.make_class(cls.__name__, members, frozen=True, kw_only=True)


@pytest.mark.parametrize(
    "cls", [cls for cls in _MODELS if cls is not BackupFilter], ids=lambda cls: cls.__name__
)
@given(data=st.data())
@settings(MODERATE, max_examples=20)
def test_methods_do_as_those_of_attrs(cls: type[attrs.AttrsInstance], data: st.DataObject) -> None:
    """
    Equality, hash and repr are what attrs would have made of the same members.
    """
    twin = _twin(cls)
    values = st.sampled_from([None, (), 1, "x"])
    names = [field.name for field in attrs.fields(cls)]
    one, other = (data.draw(st.fixed_dictionaries(dict.fromkeys(names, values))) for _ in "ab")
    changed = data.draw(st.sampled_from(names))
    other = data.draw(st.sampled_from([other, {**one, changed: other[changed]}]))

    assert (twin(**one) == twin(**other)) == (cls(**one) == cls(**other))
    assert (twin(**one) != twin(**other)) == (cls(**one) != cls(**other))
    assert hash(cls(**one)) == hash(cls(**one))
    assert (hash(twin(**one)) == hash(twin(**other))) == (hash(cls(**one)) == hash(cls(**other)))
    assert repr(twin(**one)) == repr(cls(**one))


@_every_model
def test_members_are_shown_and_compared_or_not(cls: type[attrs.AttrsInstance]) -> None:
    """
    No member has a way of its own to be shown or compared, which the methods would ignore.
    """
    fields = attrs.fields(cls)

    assert {bool} == {type(option) for field in fields for option in (field.repr, field.eq)}
    assert {None} == {field.eq_key for field in fields}


def test_other_classes_are_not_equal() -> None:
    """
    A model equals only models of its own class, even of the same members.
    """
    one, other = BackupFailureDetails(message="m"), LifecycleTransitionReason(message="m")

    assert one != other
    assert hash(one) != hash(other)
    assert one != "m"


def _secrets() -> list[tuple[str, str]]:
    """
    Return structure and member of everything that the service's model calls sensitive.
    """
    return [
        (shape.name, name)
        for shape in service_model.answered()
        if isinstance(shape, StructureShape)
        for name, member in shape.members.items()
        if member.metadata.get("sensitive")
    ]


def test_service_has_secrets() -> None:
    """
    The service's model still says which members are secret.
    """
    assert ("OntapFileSystemConfiguration", "FsxAdminPassword") in _secrets()


@pytest.mark.parametrize(("structure", "member"), _secrets())
def test_secrets_stay_out_of_repr(structure: str, member: str) -> None:
    """
    What the service's model calls sensitive does not show in the repr.
    """
    fields = attrs.fields_dict(getattr(models, structure))

    assert fields[xform_name(member)].repr is False


def test_password_stays_out_of_repr() -> None:
    """
    Neither the password of a file system nor that it has one shows in the repr.
    """
    configuration = OntapFileSystemConfiguration(fsx_admin_password="hunter2", ha_pairs=1)

    assert repr(OntapFileSystemConfiguration(ha_pairs=1)) == repr(configuration)


# Filters.


@pytest.mark.parametrize("name", [FilterName.VOLUME_ID, "volume-id"], ids=["member", "text"])
def test_filter_name(name: str) -> None:
    """
    A filter's name may be given as member or as text.
    """
    assert FilterName.VOLUME_ID is BackupFilter(name, "fsvol-1").name


def test_filter_name_of_the_future() -> None:
    """
    A filter's name that nobody knows yet is kept.
    """
    assert "colour" == BackupFilter("colour", "red").name


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param("fs-1", ("fs-1",), id="text"),
        pytest.param(["fs-1", "fs-2"], ("fs-1", "fs-2"), id="list"),
        pytest.param((one for one in ("fs-1", "fs-2")), ("fs-1", "fs-2"), id="generator"),
        pytest.param((), (), id="nothing"),
    ],
)
def test_filter_values(values: str, expected: tuple[str, ...]) -> None:
    """
    A filter's values are a tuple, whatever collection they came in; a text is one value.
    """
    assert expected == BackupFilter("file-system-id", values).values


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        (5, "x", "name: must be a FilterName or its text, not a value of <class 'int'>"),
        (None, "x", "name: must be a FilterName or its text, not a value of <class 'NoneType'>"),
        (
            "volume-id",
            5,
            "values: must be a text or a collection of texts, not a value of <class 'int'>",
        ),
        (
            "volume-id",
            None,
            "values: must be a text or a collection of texts, not a value of <class 'NoneType'>",
        ),
    ],
    ids=["name-int", "name-none", "values-int", "values-none"],
)
def test_filter_of_wrong_types(name: str, values: str, fault: str) -> None:
    """
    A filter of wrong types is refused with an error of this package.
    """
    with pytest.raises(InvalidArguments) as caught:
        BackupFilter(name, values)

    assert (fault,) == caught.value.faults
    assert isinstance(caught.value, FsxCopyError)
