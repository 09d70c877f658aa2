"""`fsxcopy list` and `fsxcopy show`: what a Region has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial

from fsxcopy_sdk._validation import size_text
from fsxcopy_sdk.cli._connection import client_of
from fsxcopy_sdk.cli._options import (
    Globals,
    Listing,
    Selection,
    errors_by_option,
    filters_by_option,
    known_values,
)
from fsxcopy_sdk.cli._outcomes import Exit
from fsxcopy_sdk.cli._output import Results, progress_of, public, write_json, write_members
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._tables import Column
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.models import Backup

# Users recognize a backup by its source and creation time, and a copy by its source backup.
COLUMNS = (
    Column("BACKUP"),
    Column("CREATED", 1, brief=lambda text: text[:10]),
    Column("LIFECYCLE"),
    Column("SIZE", 4),
    Column("TYPE", 6),
    Column("OF", 2),
    Column("COPY OF", 3, brief=lambda text: text.partition(" ")[0]),
    Column("NAME", 5, least=8),
)
_SORT_KEYS: Mapping[str, Callable[[Backup], tuple[str | float, ...]]] = {
    "created": lambda backup: (backup.creation_time.timestamp(),),
    "id": lambda backup: (backup.backup_id,),
    "lifecycle": lambda backup: (backup.lifecycle.value, backup.progress_percent or 0),
    "name": lambda backup: (_name(backup),),
    "of": lambda backup: (_of(backup), backup.creation_time.timestamp()),
    "size": lambda backup: (backup.size_in_bytes or 0,),
    "type": lambda backup: (backup.type.value,),
}
# The most backups that one page can have.
_PAGE = 50


async def list_backups(selection: Selection, listing: Listing, options: Globals) -> Exit:
    """Write the selected backups of the Region, by default in the service's order."""
    filters = filters_by_option(selection)
    is_listed = _listed(listing)
    results = Results(options.output, "Backups", COLUMNS)
    found: list[Backup] = []
    # Sorting needs all backups; otherwise no more pages are read than are shown.
    limit = None if listing.sort else listing.limit
    size = min(limit, _PAGE) if limit and not (listing.lifecycle or listing.newer_than) else None
    async with client_of(options) as client:
        with errors_by_option(filters):
            pages = client.iter_backups(
                filters=filters.values(), max_results=size, strict=selection.strict
            )
            async with aclosing(pages) as backups:
                async for backup in backups:
                    if not is_listed(backup):
                        continue
                    found.append(backup)
                    if not listing.sort:
                        results.add(partial(public, backup), row_of(backup))
                    if len(found) == limit:
                        break
        if listing.sort:
            found.sort(key=_SORT_KEYS[listing.sort], reverse=listing.reverse)
            for backup in found[: listing.limit]:
                results.add(partial(public, backup), row_of(backup))
        # Not after an error: a partial list would suggest that there are no other backups.
        results.write()
        Reporter(options).info(_count(len(found), listing, client.region))
    return Exit.DONE


def _count(found: int, listing: Listing, region: str) -> str:
    """Return how many backups were found and are shown."""
    if listing.limit is None or found < listing.limit:
        return f"backups in {region}: {found}"
    if listing.sort:
        return f"backups in {region}: {found}, of which {listing.limit} are shown"
    return f"backups in {region}: the first {found}; there may be more"


def _listed(listing: Listing) -> Callable[[Backup], bool]:
    """Return the condition for a backup to be listed, which the service has no filters for."""
    lifecycles = known_values("--lifecycle", listing.lifecycle, BackupLifecycle)
    now, newer_than = datetime.now(UTC), listing.newer_than
    # No time is computed from the option: it may be before the first year.
    return lambda backup: (
        (not lifecycles or backup.lifecycle in lifecycles)
        and (not newer_than or now - backup.creation_time < newer_than)
    )


def row_of(backup: Backup) -> tuple[str, ...]:
    """Return the cells of a backup in `COLUMNS`."""
    source = backup.source_backup_id
    return (
        backup.backup_id,
        f"{backup.creation_time:%Y-%m-%d %H:%M}Z",
        progress_of(backup),
        "" if backup.size_in_bytes is None else size_text(backup.size_in_bytes),
        backup.type.value,
        _of(backup),
        f"{source} in {backup.source_backup_region or 'its Region'}" if source else "",
        _name(backup),
    )


def _of(backup: Backup) -> str:
    """Return the ID of the volume or file system that it is a backup of."""
    if backup.volume and backup.volume.volume_id:
        return backup.volume.volume_id
    return (backup.file_system and backup.file_system.file_system_id) or ""


def _name(backup: Backup) -> str:
    return next((tag.value or "" for tag in backup.tags if tag.key == "Name"), "")


async def show(backup_id: str, options: Globals) -> Exit:
    """Write all members of one backup."""
    async with client_of(options) as client:
        document = public(await client.describe_backup(backup_id))
    if options.output == "table":
        write_members(_members(document))
    else:
        write_json(document, options.output)
    return Exit.DONE


def _members(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and value of each member of a document."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _members(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _members(member, f"{path}[{number}]")
    else:
        yield path, str(value)
