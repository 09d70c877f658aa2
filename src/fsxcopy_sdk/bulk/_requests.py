"""
One copy that is asked for, and the token by which the service knows it again.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TypedDict, cast

import attrs

from fsxcopy_sdk._arguments import Faults, Tags, copy_backup_request
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag

# Any will do: the rules of a request are the same in every Region, but for those on
# the partition, and a source lies in its own.
_SOME_REGION = "us-east-1"


class Arguments(TypedDict):
    """
    What `FsxCopyClient.copy_backup` is called with, but for the token.
    """

    source_backup_id: str
    source_region: str | None
    kms_key_id: str | None
    copy_tags: bool
    tags: tuple[Tag, ...]


def _to_tags(given: Tags) -> tuple[Tag, ...]:
    if isinstance(given, Mapping):
        return tuple(Tag(key=key, value=value) for key, value in given.items())
    # What is no collection is kept: the request's rules tell of it, with all else.
    tags: object = given
    is_collection = isinstance(tags, Iterable) and not isinstance(tags, str | bytes)
    return tuple(given) if is_collection else cast("tuple[Tag, ...]", tags)


@attrs.frozen(kw_only=True)
class CopyRequest:
    """
    Ask for one copy; equal requests to the same Region ask for the same copy.

    Raises:
        InvalidArguments: a member breaks a rule, with a text for every fault.
    """

    source_backup_id: str
    """The backup to copy, which must be AVAILABLE."""
    source_region: str | None = None
    """The Region it lives in; None for the destination's own."""
    kms_key_id: str | None = None
    """The key for the copy; None for the account's own of FSx."""
    copy_tags: bool = False
    """Whether the source's tags are copied too."""
    tags: tuple[Tag, ...] = attrs.field(default=(), converter=_to_tags)
    """Tags for the copy, given as a mapping or as `Tag` objects, in any order."""
    volume_id: str | None = None
    """The ONTAP volume it is a backup of, if it is: its copies are limited by themselves."""
    salt: str = ""
    """Requests that differ in nothing but this ask for different copies."""
    client_request_token: str | None = None
    """The token to send; None for one that is derived from all the others."""

    def __attrs_post_init__(self) -> None:
        faults = Faults(_faults(self, self.source_region or _SOME_REGION))
        faults.check_type("salt", self.salt, str, "a text")
        if self.volume_id is not None:
            faults.check_type("volume_id", self.volume_id, str, "the id of a volume, or None")
        faults.raise_any()

    def token(self, region: str, attempt: int = 0) -> str:
        """
        Return the token with which a copy into *region* is asked for.

        It is the same in every process and at any time. *attempt* counts the copies of
        this request that failed or were deleted: each has spent its token. A token that
        was given stays what it is.
        """
        if self.client_request_token is not None:
            return self.client_request_token
        parts = {
            **self.arguments(region),
            "source_region": self.source_region or region,
            "region": region,
            "tags": [[tag.key, tag.value] for tag in self._sorted_tags],
            "salt": self.salt,
            "attempt": attempt,
        }
        digest = sha256(json.dumps(parts, sort_keys=True).encode()).digest()
        return f"fsxcopy-{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def arguments(self, region: str) -> Arguments:
        """
        Return what is sent to *region*: the same for all requests with the same token.
        """
        return {
            "source_backup_id": self.source_backup_id,
            "source_region": None if self.source_region == region else self.source_region,
            "kms_key_id": self.kms_key_id,
            "copy_tags": self.copy_tags,
            "tags": self._sorted_tags,
        }

    @property
    def _sorted_tags(self) -> tuple[Tag, ...]:
        return tuple(sorted(self.tags, key=lambda tag: tag.key))


def _faults(request: CopyRequest, region: str) -> list[str]:
    """
    Return what the rules of CopyBackup to *region* have against *request*.
    """
    try:
        copy_backup_request(
            request.source_backup_id,
            region=region,
            source_region=request.source_region,
            kms_key_id=request.kms_key_id,
            copy_tags=request.copy_tags,
            tags=request.tags,
            client_request_token=request.client_request_token,
        )
    except InvalidArguments as error:
        return list(error.faults)
    return []


def checked(requests: Iterable[CopyRequest], region: str) -> tuple[CopyRequest, ...]:
    """
    Return *requests*, if all can be sent to *region* together.

    Raises:
        InvalidArguments: they cannot, with a text for every fault.
    """
    faults = Faults()
    given: object = requests
    if isinstance(given, str | bytes | CopyRequest) or not isinstance(given, Iterable):
        faults.add_value("requests", "a collection of CopyRequest", given)
        faults.raise_any()
    good: list[CopyRequest] = []
    first: dict[str, tuple[int, Arguments]] = {}
    for number, request in enumerate(cast("Iterable[object]", given)):
        name = f"requests[{number}]"
        if not isinstance(request, CopyRequest):
            faults.add_value(name, "a CopyRequest", request)
            continue
        good.append(request)
        faults.texts.extend(f"{name}.{text}" for text in _faults(request, region))
        token, asked = request.token(region), request.arguments(region)
        earlier, the_same = first.setdefault(token, (number, asked))
        if asked != the_same:
            rule = f"another than that of requests[{earlier}], which asks for something else"
            faults.add_value(f"{name}.client_request_token", rule, token)
    faults.raise_any()
    return tuple(good)
