"""
Check a request as the service's front does: types first, then the rules.

A wrong type is a SerializationException, as everywhere in AWS JSON. A broken
rule is a BadRequest in the front's own words ("1 validation error detected:
Value null at 'fileSystemType' failed to satisfy constraint: Member must not
be null"), as FSx itself was seen to answer: awsdocs/
aws-cloudformation-user-guide pull request 439.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, cast

from ._errors import ProtocolFailure, ServiceFailure
from ._json import Document, JsonValue, Tag
from ._rules import REQUESTS, Flag, Many, Members, Number, Rule, Text

MOST_TAGS: Final = 50
"""Tags on one resource (the model's maximum of Tags)."""

_Broken: TypeAlias = tuple[str, str]
"""Path of the value, what it breaks."""

_ANY_ARN: Final = re.compile(r"arn:[^:]+:(?!fsx:)[a-z0-9-]+:[^:]*:[^:]*:.+")


def check_request(operation: str, body: Document) -> Document:
    """
    Return *body* with nothing but the members that *operation* knows.

    Members that are null count as absent, unknown ones are dropped.

    Raises:
        ServiceFailure: it has a wrong type or breaks a rule of the model.
    """
    rules = REQUESTS[operation]
    request = cast("Document", _typed(rules, operation, body))
    broken = list(_broken(rules, "", request))
    if broken:
        raise _failure(request, broken)
    check_tags(cast("list[Tag]", request.get("Tags", [])))
    return request


def check_tags(tags: list[Tag]) -> None:
    """
    Check what the model does not say of *tags*.

    Raises:
        ServiceFailure: BadRequest, for a reserved or repeated key.
    """
    keys = [tag["Key"] for tag in tags]
    for key in keys:
        # "aws:" is reserved in any upper or lower case.
        if key.lower().startswith("aws:"):
            msg = f"Tags: the key {key!r} has the reserved prefix 'aws:'."
            raise ServiceFailure("BadRequest", msg)
    if len(set(keys)) < len(keys):
        msg = "Tags: keys must be unique within one request."
        raise ServiceFailure("BadRequest", msg)


def _typed(rule: Rule, path: str, value: JsonValue) -> JsonValue:
    match rule, value:
        case (Text(), str()) | (Flag(), bool()):
            return value
        case Number(), int() if not isinstance(value, bool):
            return value
        case Many(), list():
            return [_typed(rule.of, f"{path}[]", item) for item in value]
        case Members(), dict():
            return {
                name: _typed(inner, f"{path}.{name}", value[name])
                for name, inner in rule.rules.items()
                if value.get(name) is not None
            }
    msg = f"{path}: expected {_NEEDED[type(rule)]}, got {value!r}."
    raise ProtocolFailure("SerializationException", msg)


_NEEDED: Final[dict[type[Rule], str]] = {
    Text: "a string",
    Flag: "a boolean",
    Number: "a whole number",
    Many: "a list",
    Members: "an object",
}


def _broken(rule: Rule, path: str, value: JsonValue) -> Iterator[_Broken]:
    match rule, value:
        case Text(), str():
            yield from _broken_size(rule, path, len(value), "length")
            yield from _broken_text(rule, path, value)
        case Number(), int():
            yield from _broken_size(rule, path, value, "value")
        case Many(), list():
            yield from _broken_size(rule, path, len(value), "length")
            for index, item in enumerate(value, 1):
                yield from _broken(rule.of, f"{path}.{index}.member", item)
        case Members(), dict():
            missing = [name for name in rule.required if name not in value]
            yield from ((_below(path, name), "not be null") for name in missing)
            for name, item in value.items():
                yield from _broken(rule.rules[name], _below(path, name), item)


def _broken_text(rule: Text, path: str, value: str) -> Iterator[_Broken]:
    if rule.pattern and not matcher(rule.pattern)(value):
        yield path, f"satisfy regular expression: {rule.pattern}"
    if rule.choices and value not in rule.choices:
        yield path, f"satisfy enum value set: {list(rule.choices)}"


def _broken_size(
    rule: Text | Number | Many, path: str, size: int, of_what: str
) -> Iterator[_Broken]:
    if rule.least is not None and size < rule.least:
        yield path, f"have {of_what} greater than or equal to {rule.least}"
    if rule.most is not None and size > rule.most:
        yield path, f"have {of_what} less than or equal to {rule.most}"


def _below(path: str, name: str) -> str:
    # The front spells members as Java does: sourceBackupId.
    spelled = name[0].lower() + name[1:]
    return f"{path}.{spelled}" if path else spelled


def _failure(request: Document, broken: list[_Broken]) -> ServiceFailure:
    """
    Choose the error for what is broken, the operations' own ones first.
    """
    paths = {path for path, _ in broken}
    faults = "; ".join(
        f"Value at '{path}' failed to satisfy constraint: Member must {rule}"
        for path, rule in broken
    )
    plural = "s" if len(broken) > 1 else ""
    msg = f"{len(broken)} validation error{plural} detected: {faults}"
    if paths == {"sourceRegion"}:
        return ServiceFailure("InvalidRegion", msg)
    arn = request.get("ResourceARN")
    if paths == {"resourceARN"} and _ANY_ARN.fullmatch(str(arn)):
        other = f"{arn} is not a resource of Amazon FSx."
        return ServiceFailure("NotServiceResourceError", other, ResourceARN=arn)
    return ServiceFailure("BadRequest", msg)


@functools.cache
def matcher(pattern: str) -> Callable[[str], object]:
    r"""
    Return the test for *pattern*; the whole text must match, as in Java.

    Python's expressions have no ``\p{L}``: the one pattern that needs it
    (tag keys and values) is tested by Unicode category instead.
    """
    if r"\p{L}" in pattern:
        return _is_tag_text
    return re.compile(pattern).fullmatch


def _is_tag_text(text: str) -> bool:
    return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)
