"""The models as classes: frozen, comparable, quiet about secrets."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import get_type_hints

import attrs
import pytest
import service_model
from botocore.model import StructureShape  # type: ignore[import-untyped]  # no types

from fsxcopy_sdk import BackupFilter, models
from fsxcopy_sdk.enums import BackupLifecycle, BackupType, FilterName
from fsxcopy_sdk.errors import FsxCopyError, InvalidArguments
from fsxcopy_sdk.models import (
    Backup,
    BackupFailureDetails,
    CopyBackupResponse,
    DiskIopsConfiguration,
    LifecycleTransitionReason,
    OntapFileSystemConfiguration,
    ResponseMetadata,
    Tag,
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
    """Instances have slots and no dict, so that a misspelt member cannot be set."""
    assert "__slots__" in vars(cls)
    assert "__dict__" not in dir(cls)


@_every_model
def test_lists_are_tuples(cls: type[attrs.AttrsInstance]) -> None:
    """No member is a list, which could be changed."""
    hints = {name: str(hint) for name, hint in get_type_hints(cls).items()}
    assert {} == {name: hint for name, hint in hints.items() if "list[" in hint}


@_every_model
def test_members_are_given_by_name(cls: type[attrs.AttrsInstance]) -> None:
    """Members are given by name."""
    assert {True} == {field.kw_only for field in attrs.fields(cls)}


@_every_model
def test_nothing_but_members(cls: type[attrs.AttrsInstance]) -> None:
    """No hook, validator, converter, look or comparison is a model's own; it would be ignored."""
    fields = attrs.fields(cls)
    assert [] == [name for name in vars(cls) if name.startswith("__attrs_p") and "_init" in name]
    assert [] == [field.name for field in fields if field.validator or not field.init]
    assert [] == [field.name for field in fields if field.converter or field.eq_key]
    assert {bool} == {type(option) for field in fields for option in (field.repr, field.eq)}


@_every_model
def test_defaults(cls: type[attrs.AttrsInstance]) -> None:
    """A member that may be absent is None or an empty tuple then."""
    defaults = {field.default for field in attrs.fields(cls) if field.name != "metadata"}
    if cls is not ResponseMetadata:
        assert set() == defaults - {None, (), attrs.NOTHING}


@_every_model
def test_frozen(cls: type[attrs.AttrsInstance]) -> None:
    """No member can be set anew or deleted."""
    model = cls.__new__(cls)
    for field in attrs.fields(cls):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(model, field.name, None)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            delattr(model, field.name)


def test_compared_by_value() -> None:
    """Two instances with equal members are equal and have one hash."""
    assert {_BACKUP} == {_BACKUP, attrs.evolve(_BACKUP)}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_survives_pickle_and_copies(protocol: int) -> None:
    """A model comes back equal from pickle, `copy` and `deepcopy`."""
    response = CopyBackupResponse(backup=_BACKUP)
    pickled = pickle.dumps(response, protocol)
    for other in (pickle.loads(pickled), copy.copy(response), copy.deepcopy(response)):
        assert response == other


def test_metadata_is_not_compared() -> None:
    """Two responses of the same content are equal, however the exchanges went."""
    one = CopyBackupResponse(backup=_BACKUP)
    other = CopyBackupResponse(backup=_BACKUP, metadata=ResponseMetadata(attempts=2))
    assert (one, hash(one)) == (other, hash(other))


def test_a_repr_leaves_out_what_is_absent() -> None:
    """A near-empty backup is shown on three lines of a terminal."""
    text = repr(_BACKUP)

    assert "None" not in text
    assert "()" not in text
    assert text.startswith(f"Backup(backup_id={_BACKUP.backup_id!r}, lifecycle=")
    assert len(text) <= 3 * 100
    assert "Tag(key='Name')" == repr(Tag(key="Name"))
    assert "DiskIopsConfiguration(iops=0)" == repr(DiskIopsConfiguration(iops=0))


def test_other_classes_are_not_equal() -> None:
    """A model equals only models of its own class, even of the same members."""
    one, other = BackupFailureDetails(message="m"), LifecycleTransitionReason(message="m")
    assert one != other
    assert hash(one) != hash(other)
    assert one != "m"


def _secrets() -> list[tuple[str, str]]:
    """Return structure and member of everything that the service's model calls sensitive."""
    return [
        (shape.name, name)
        for shape in service_model.answered()
        if isinstance(shape, StructureShape)
        for name, member in shape.members.items()
        if member.metadata.get("sensitive")
    ]


def test_service_has_secrets() -> None:
    """The service's model still says which members are secret."""
    assert ("OntapFileSystemConfiguration", "FsxAdminPassword") in _secrets()


@pytest.mark.parametrize(("structure", "member"), _secrets())
def test_secrets_stay_out_of_repr(structure: str, member: str) -> None:
    """What the service's model calls sensitive does not show in the repr."""
    fields = attrs.fields_dict(getattr(models, structure))
    assert fields[service_model.member_name(member)].repr is False


def test_password_stays_out_of_repr() -> None:
    """Neither the password of a file system nor that it has one shows in the repr."""
    configuration = OntapFileSystemConfiguration(fsx_admin_password="hunter2", ha_pairs=1)
    assert repr(OntapFileSystemConfiguration(ha_pairs=1)) == repr(configuration)


@pytest.mark.parametrize("name", [FilterName.VOLUME_ID, "volume-id"], ids=["member", "text"])
def test_filter_name(name: str) -> None:
    """A filter's name may be given as member or as text; an unknown one is kept."""
    assert FilterName.VOLUME_ID is BackupFilter(name, "fsvol-1").name
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
    """A filter's values are a tuple, whatever collection they came in; a text is one value."""
    assert expected == BackupFilter("file-system-id", values).values


@pytest.mark.parametrize(
    ("name", "values", "rule", "found"),
    [
        (5, "x", "name: must be a FilterName or its text", "int"),
        (None, "x", "name: must be a FilterName or its text", "NoneType"),
        ("volume-id", 5, "values: must be a text or a collection of texts", "int"),
        ("volume-id", None, "values: must be a text or a collection of texts", "NoneType"),
    ],
    ids=["name-int", "name-none", "values-int", "values-none"],
)
def test_filter_of_wrong_types(name: str, values: str, rule: str, found: str) -> None:
    """A filter of wrong types is refused with an error of this package."""
    with pytest.raises(InvalidArguments) as caught:
        BackupFilter(name, values)
    assert (f"{rule}, not a value of <class '{found}'>",) == caught.value.errors
    assert isinstance(caught.value, FsxCopyError)
