"""Hypothesis strategies: documents as the service's own model has them, and junk."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import service_model
from botocore.model import (  # type: ignore[import-untyped]  # botocore ships no types
    ListShape,
    Shape,
    StructureShape,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Document = dict[str, object]

MODERATE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Machines that run tests may be slow and busy, so nothing is timed."""

_LATEST = 2**32
"""Epoch seconds; above, a float no longer holds every microsecond."""

_EARLIEST_IN_TEXT = 946_684_800
"""Epoch seconds; a number in a text means no time before the year 2000."""

_UNKNOWN_MEMBERS = ("FutureMember", "Future-Member", "backup_id", "metadata", "")


@attrs.frozen
class Moment:
    """A time as it is sent, and as `to_dict` writes it."""

    sent: object
    written: str


@attrs.frozen(eq=False)
class Unknown:
    """A member that no model knows."""

    value: object


def _as_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    """Make times in every form that AWS JSON 1.1 or botocore gives them."""
    microseconds = draw(st.integers(0, _LATEST * 10**6))
    seconds = microseconds / 10**6
    offset = timezone(timedelta(minutes=draw(st.integers(-14 * 60, 14 * 60))))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    exact, whole = moment.isoformat(), moment.replace(microsecond=0).isoformat()
    forms = [
        Moment(int(seconds), whole),
        Moment(seconds, exact),
        Moment(_as_text(moment), exact),
        Moment(moment.astimezone(offset).isoformat(), exact),
        Moment(moment.astimezone(offset), exact),
    ]
    if seconds >= _EARLIEST_IN_TEXT:
        forms += [
            Moment(f"{seconds:.6f}", exact),
            Moment(f"{microseconds}e-6", exact),
            Moment(str(int(seconds)), whole),
        ]
    return draw(st.sampled_from(forms))


def json_values() -> st.SearchStrategy[object]:
    """Make small values of JSON of any kind."""
    leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
        ),
        max_leaves=4,
    )


def _texts(shape: Shape) -> st.SearchStrategy[object]:
    free = st.text(max_size=8)
    return st.sampled_from(shape.enum) | free if shape.enum else free


_LEAVES: dict[str, Callable[[Shape], st.SearchStrategy[object]]] = {
    "boolean": lambda _: st.booleans(),
    "integer": lambda _: st.integers(-(2**31), 2**31 - 1),
    "long": lambda _: st.integers(-(2**63), 2**63 - 1),
    "string": _texts,
    "timestamp": lambda _: moments(),
}


@st.composite
def documents(draw: st.DrawFn, shape: StructureShape, depth: int = 5) -> Document:
    """
    Make documents of a structure, with times as `Moment` and strangers as `Unknown`.

    Members that may be absent are present, absent or null; *depth* structures lie
    within each other at most, but for those that are required.
    """
    required = [name for name in shape.members if service_model.requires(shape, name)]
    optional = [name for name in shape.members if name not in required]
    chosen = draw(st.lists(st.sampled_from(optional), unique=True, max_size=6)) if optional else []
    document: Document = {name: draw(values(shape.members[name], depth)) for name in required}
    for name in chosen:
        absent = depth <= 0 or draw(st.integers(0, 9)) == 0
        document[name] = None if absent else draw(values(shape.members[name], depth))
    if draw(st.integers(0, 4)) == 0:
        document[draw(st.sampled_from(_UNKNOWN_MEMBERS))] = Unknown(draw(json_values()))
    names = draw(st.permutations(list(document)))
    return {name: document[name] for name in names}


def values(shape: Shape, depth: int) -> st.SearchStrategy[object]:
    """Make values of any shape, as `documents` does."""
    if isinstance(shape, StructureShape):
        return documents(shape, depth - 1)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, depth - 1), max_size=2)
    return _LEAVES[shape.type_name](shape)


def as_sent(value: object) -> object:
    """Return what `documents` made as it travels."""
    if isinstance(value, Moment):
        return value.sent
    if isinstance(value, Unknown):
        return value.value
    if isinstance(value, dict):
        return {name: as_sent(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_sent(part) for part in value]
    return value


def as_written(value: object) -> object:
    """Return a document of the service as `to_dict` writes it: times are ISO 8601 in UTC."""
    if isinstance(value, dict):
        return {
            name: datetime.fromtimestamp(part, UTC).isoformat()
            if name.endswith("Time") and isinstance(part, int | float)
            else as_written(part)
            for name, part in value.items()
        }
    return [as_written(part) for part in value] if isinstance(value, list) else value


def as_known(shape: Shape, value: object) -> object:
    """
    Return what of a document is known, in the one form that it has in `to_dict`.

    Strangers, nulls and optional empty lists are left out; times are ISO 8601 in UTC.
    """
    if isinstance(value, Moment):
        return value.written
    if isinstance(value, dict):
        return {
            name: as_known(shape.members[name], part)
            for name, part in value.items()
            if not isinstance(part, Unknown)
            and part is not None
            and (part != [] or service_model.requires(shape, name))
        }
    if isinstance(value, list):
        return [as_known(shape.member, part) for part in value]
    return value


def junk() -> st.SearchStrategy[object]:
    """Make values that no argument of ours is meant to be, or only some."""
    return st.one_of(
        json_values(),
        st.floats(),
        st.binary(max_size=5),
        st.sampled_from(
            (
                10**5000,
                -(10**400),
                math.inf,
                Decimal(1),
                date(2021, 4, 9),
                timedelta(days=-1),
                object(),
                object,
                len,
                NotImplemented,
                frozenset({1}),
                (None,),
                {1: 2},
                {"a": None},
                {("a",): "b"},
                [["a"]],
            )
        ),
    )
