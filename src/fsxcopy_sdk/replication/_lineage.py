"""
How a copy tells whose it is: four tags, which depend on nothing but policy and backup.

The same backup gets the same tags in every process and at any time, and so the same
request and token. The time is that of the backup, which may be gone long before its copy.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Self

import attrs

from fsxcopy_sdk.models import Backup, Tag

POLICY_TAG: Final = "fsxcopy:policy"
"""The name of the policy that the copy was made for."""

SOURCE_TAG: Final = "fsxcopy:source"
"""The id of the file system or volume that the copy's backup is of."""

BACKUP_TAG: Final = "fsxcopy:backup"
"""
The id of the copy's backup. Who copies a copy on, with its tags, makes one that is of
another backup than this says, and so is not the policy's.
"""

TIME_TAG: Final = "fsxcopy:source-time"
"""When the copy's backup was made, in ISO 8601."""

LINEAGE_TAGS: Final = (POLICY_TAG, SOURCE_TAG, BACKUP_TAG, TIME_TAG)

_SOME_TIME = datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Lineage:
    """
    What the tags of a copy say of it.
    """

    policy: str
    source_id: str
    backup_id: str
    recovery_point: datetime
    """When the backup was made, in UTC."""

    @classmethod
    def example(cls) -> Self:
        """
        Return one, to see what the rules of tags have against others.
        """
        return cls(
            policy="name",
            source_id="fs-00000000",
            backup_id="backup-00000000",
            recovery_point=_SOME_TIME,
        )

    @classmethod
    def of(cls, backup: Backup) -> Self | None:
        """
        Return the lineage of *backup*; None unless its tags tell all of it.
        """
        texts = {tag.key: tag.value for tag in backup.tags if tag.value is not None}
        if not all(key in texts for key in LINEAGE_TAGS):
            return None
        recovery_point = _read(texts[TIME_TAG])
        if recovery_point is None:
            return None
        return cls(
            policy=texts[POLICY_TAG],
            source_id=texts[SOURCE_TAG],
            backup_id=texts[BACKUP_TAG],
            recovery_point=recovery_point,
        )

    @property
    def tags(self) -> tuple[Tag, ...]:
        """
        The tags that say this.
        """
        values = (self.policy, self.source_id, self.backup_id, self.recovery_point.isoformat())
        return tuple(
            Tag(key=key, value=value) for key, value in zip(LINEAGE_TAGS, values, strict=True)
        )


def _read(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        # A time that names no zone is nobody's of this package.
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
