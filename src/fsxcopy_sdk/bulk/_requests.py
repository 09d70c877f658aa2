"""Requests for copies: their rules, their tokens, and the copies that satisfy them."""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from contextlib import aclosing
from hashlib import sha256
from typing import Final, Self, TypedDict

import anyio
import attrs

from fsxcopy_sdk import _validation as rules
from fsxcopy_sdk._codec import Document, from_document
from fsxcopy_sdk._paging import Fetch, UnreadableLog, every_backup
from fsxcopy_sdk._validation import (
    ArgumentErrors,
    Tags,  # noqa: F401 - the annotation of `to_tags`, which attrs copies to __init__
    copy_backup_request,
    shown,
    to_tags,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import VolumeType
from fsxcopy_sdk.errors import InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.models import Backup, Tag, UnreadableBackup

SALT_TAG: Final = "fsxcopy:salt"
"""The key of the tag that keeps the `idempotency_salt` with which a copy was requested."""

_SALT = rules.Rule(
    0, 100, rules.TAG_VALUE.has_form, "at most 100 letters, digits, spaces and `_.:/=+-@`"
)

# Any will do: the rules of a request are the same in every Region, except those on the
# partition, and a source lies in its own.
_ANY_REGION = "us-east-1"


class Arguments(TypedDict):
    """The arguments of `FsxCopyClient.copy_backup` without the token."""

    source_backup_id: str
    source_region: str | None
    kms_key_id: str | None
    copy_tags: bool
    tags: tuple[Tag, ...]


@attrs.frozen(kw_only=True)
class CopyRequest(Document):
    """
    Request one copy; equal requests to the same Region request the same copy.

    Raises:
        InvalidArguments: a member breaks a rule; `errors` has one text for each.
    """

    source_backup_id: str
    """The backup to copy, which must be AVAILABLE."""
    source_region: str | None = None
    """The Region of the source; None for the destination's own."""
    kms_key_id: str | None = None
    """The key for the copy; None for the account's FSx key there."""
    copy_tags: bool = False
    """Whether the copy gets the source's tags."""
    tags: tuple[Tag, ...] = attrs.field(default=(), converter=to_tags)
    """Tags for the copy, given as a mapping or as `Tag` objects, in any order."""
    volume_id: str | None = None
    """
    The ONTAP volume of the source, if it has one: its copies have a limit of their own. Without
    it the volume is known only from the copy, or where the destination lists the source.
    """
    idempotency_salt: str = ""
    """
    Change this text to force another copy of the same backup: an existing copy satisfies
    the request only if its tag `fsxcopy:salt` names this text and the source. At most 100
    characters that a tag may have.
    """
    client_request_token: str | None = None
    """The token to send; None for one that is derived from the other members."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors(_errors_of(self, self.source_region or _ANY_REGION))
        errors.check("idempotency_salt", self.idempotency_salt, _SALT)
        if self.volume_id is not None:
            errors.check_type("volume_id", self.volume_id, str, "an ID, or None")
        errors.raise_any()

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Self:
        """
        Make a request from what `to_dict` returned.

        Raises:
            InvalidArguments: *document* has errors; `errors` has a text with the path of each.
        """
        return from_document(cls, document)

    def token(self, region: str, attempt: int = 0) -> str:
        """
        Return the token with which a copy into *region* is requested.

        It is the same in every process and at any time. The service remembers a token for
        minutes only. *attempt* counts the copies of this request that are known to be
        FAILED or DELETED: each has spent its token. A token that was given stays.
        """
        if self.client_request_token is not None:
            return self.client_request_token
        parts = {
            **self.arguments(region),
            "source_region": self.source_region or region,
            "region": region,
            "tags": sorted([tag.key, tag.value] for tag in self.tags),
            "salt": self.idempotency_salt,
            "attempt": attempt,
        }
        digest = sha256(json.dumps(parts, sort_keys=True).encode()).digest()
        return f"fsxcopy-{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def arguments(self, region: str) -> Arguments:
        """Return what is sent to *region*: the same for all requests with the same token."""
        salt = (Tag(key=SALT_TAG, value=self._salt_text),) if self.idempotency_salt else ()
        return {
            "source_backup_id": self.source_backup_id,
            "source_region": None if self.source_region == region else self.source_region,
            "kms_key_id": self.kms_key_id,
            "copy_tags": self.copy_tags,
            "tags": tuple(sorted((*self.tags, *salt), key=lambda tag: tag.key)),
        }

    def matches(self, backup: Backup, region: str) -> bool:
        """
        Whether *backup* in *region* is a copy of the requested source, in any lifecycle.

        Its key and tags may be others, except that with an `idempotency_salt` the copy
        must have it in its tag.
        """
        if backup.source_backup_id != self.source_backup_id:
            return False
        if backup.source_backup_region not in (None, self.source_region or region):
            return False
        return not self.idempotency_salt or self.has_its_salt(backup)

    def has_its_salt(self, backup: Backup) -> bool:
        """Whether *backup* was requested with the same `idempotency_salt`, or without any."""
        # A salt that was copied from the source's own tags names another source.
        ending = f"@{self.source_backup_id}"
        salts = {tag.value or "" for tag in backup.tags if tag.key == SALT_TAG}
        own = {text for text in salts if text.endswith(ending)}
        return own == ({self._salt_text} if self.idempotency_salt else set())

    def identity(self, region: str) -> tuple[str, str, str]:
        """Return what requests have in common that one copy in *region* satisfies."""
        return (self.source_backup_id, self.source_region or region, self.idempotency_salt)

    @property
    def _salt_text(self) -> str:
        return f"{self.idempotency_salt}@{self.source_backup_id}"


def _errors_of(request: CopyRequest, region: str) -> list[str]:
    """Return the rules of CopyBackup to *region* that *request* breaks."""
    tags = request.tags
    errors = ArgumentErrors()
    if any(getattr(tag, "key", None) == SALT_TAG for tag in tags):
        errors.add(f"tags: key {SALT_TAG!r}", "free", "the one that keeps idempotency_salt")
    elif request.idempotency_salt:
        tags = (*tags, Tag(key=SALT_TAG, value=""))
    try:
        copy_backup_request(
            request.source_backup_id,
            region=region,
            source_region=request.source_region,
            kms_key_id=request.kms_key_id,
            copy_tags=request.copy_tags,
            tags=tags,
            client_request_token=request.client_request_token,
        )
    except InvalidArguments as error:
        errors.texts.extend(error.errors)
    return errors.texts


def checked(errors: ArgumentErrors, requests: object, region: str) -> list[CopyRequest]:
    """Return *requests*, or add why they cannot be sent to *region* together."""
    given: Iterable[object] = ()
    if isinstance(requests, Iterable) and not isinstance(requests, str | bytes):
        given = requests
    else:
        errors.add_value("requests", "a collection of CopyRequest", requests)
    good: list[CopyRequest] = []
    first: dict[str, tuple[int, Arguments]] = {}
    for number, request in enumerate(given):
        name = f"requests[{number}]"
        if not isinstance(request, CopyRequest):
            errors.add_value(name, "a CopyRequest", request)
            continue
        good.append(request)
        errors.texts.extend(f"{name}.{text}" for text in _errors_of(request, region))
        token, asked = request.token(region), request.arguments(region)
        earlier, the_same = first.setdefault(token, (number, asked))
        if asked != the_same:
            rule = f"is also the token of requests[{earlier}], but their other arguments differ"
            errors.texts.append(f"{name}.client_request_token: {shown(token)} {rule}")
    return good


class ExistingCopies:
    """
    Every copy that a run has seen in the destination, from listings that its items share.

    Listings are not narrowed, by file system for example: a copy need not name its file
    system, and what a listing leaves out would be copied again. For the same reason a
    copy that a later listing leaves out still counts.
    """

    def __init__(self, client: FsxCopyClient, known: Iterable[Backup], fetch: Fetch) -> None:
        self._client = client
        self._fetch = fetch
        self._lock = anyio.Lock()
        self._listed_at = -math.inf
        self._by_source: defaultdict[str, dict[str, Backup]] = defaultdict(dict)
        self._unreadable: defaultdict[str, dict[str | None, UnreadableBackup]] = defaultdict(dict)
        self._last_listing: dict[str, Backup] = {}
        self._add(known)

    def _add(self, backups: Iterable[Backup]) -> None:
        for backup in backups:
            if backup.source_backup_id is not None:
                self._by_source[backup.source_backup_id][backup.backup_id] = backup

    def _add_unreadable(self, backup: UnreadableBackup) -> None:
        """Remember its source backup; raise ResponseDecodingError if it may be a copy of any."""
        if backup.is_copy is None:
            raise ResponseDecodingError.of(backup, self._client.region)
        if backup.source_backup_id is not None:
            self._unreadable[backup.source_backup_id][backup.backup_id] = backup

    def _region(self) -> str:
        return self._client.region

    async def refresh(self, max_age: float = 0.0) -> None:
        """
        List the destination, unless a listing started less than *max_age* seconds ago.

        Raises:
            FsxCopyError: the listing failed, or has an unreadable backup that may be any copy.
        """
        wanted = self._client.clock.now() - max_age
        async with self._lock:
            if self._listed_at > wanted:
                return
            begun = self._client.clock.now()
            log = UnreadableLog(self._region, self._add_unreadable)
            pages = every_backup(self._fetch, {}, ahead=False, region=self._region, unreadable=log)
            async with aclosing(pages) as backups:
                listing = {one.backup_id: one async for one in backups}
            self._add(listing.values())
            self._last_listing, self._listed_at = listing, begun

    def matching(self, request: CopyRequest) -> list[Backup]:
        """Return the copies of a request's source that satisfy it, dead ones included."""
        copies = self._by_source[request.source_backup_id].values()
        return [one for one in copies if request.matches(one, self._client.region)]

    def volume_id(self, request: CopyRequest) -> str | None:
        """Return the ONTAP volume of a request's source, where a listing happens to show it."""
        region = request.source_region or self._client.region
        shown = [
            one
            for one in self._by_source[request.source_backup_id].values()
            if one.source_backup_region in (None, region)
        ]
        source = self._last_listing.get(request.source_backup_id)
        if source is not None and region == self._client.region:
            shown.append(source)
        return next(filter(None, map(ontap_volume_id, shown)), None)

    def dead(self, request: CopyRequest) -> int:
        """Return how many copies of a request, with its salt or without any, are dead."""
        copies = filter(request.has_its_salt, self.matching(request))
        return sum(one.lifecycle.is_dead for one in copies)

    def count_in_progress(self, volume_id: str | None, followed: Container[str]) -> int:
        """Count the copies of a volume, or of none, that are in progress and not *followed*."""
        # The key of a copy and that of a request have different forms, so copies of a volume
        # count under any key.
        return sum(
            backup_id not in followed
            and not one.lifecycle.is_terminal
            and ontap_volume_id(one) == volume_id
            for copies in self._by_source.values()
            for backup_id, one in copies.items()
        )

    def unreadable(self, request: CopyRequest) -> UnreadableBackup | None:
        """Return a copy of a request's source that cannot be read, and so may satisfy it."""
        source = request.source_backup_id
        readable = self._by_source[source]
        copies = self._unreadable[source].items()
        return next((one for backup_id, one in copies if backup_id not in readable), None)

    def last_listed(self, backup_id: str) -> Backup | None:
        """Return a backup as the last listing shows it; None if it does not."""
        return self._last_listing.get(backup_id)

    def forget(self, source_backup_id: str, backup_id: str) -> None:
        """Let a copy that is known to be dead count no longer."""
        self._by_source[source_backup_id].pop(backup_id, None)
        self._unreadable[source_backup_id].pop(backup_id, None)


def ontap_volume_id(backup: Backup) -> str | None:
    """Return the ONTAP volume that *backup* is of: its copies are limited by themselves."""
    volume = backup.volume
    if volume is None:
        return None
    is_ontap = volume.volume_type == VolumeType.ONTAP or volume.ontap_configuration is not None
    return volume.volume_id if is_ontap else None


def best_copy(copies: Iterable[Backup]) -> Backup | None:
    """Return the AVAILABLE copy, else the oldest one that may become AVAILABLE."""
    return min(
        (one for one in copies if not one.lifecycle.is_dead),
        key=lambda one: (
            not one.lifecycle.is_available,
            one.lifecycle.is_unknown,
            one.creation_time,
            one.backup_id,
        ),
        default=None,
    )
