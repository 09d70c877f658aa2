"""
Three operations of the service, each one call in and one answer or exception out.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from aiobotocore.client import AioBaseClient
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import ClientError

from fsxcopy_sdk._codec import RawResponse
from fsxcopy_sdk._faults import ErrorDocument, service_error
from fsxcopy_sdk._transport._bounds import BodyTooLargeError, call_seconds, within
from fsxcopy_sdk._transport._exchange import Exchange, current, observe
from fsxcopy_sdk._transport._failures import translate
from fsxcopy_sdk._transport._starting import prepare, taking_turns
from fsxcopy_sdk._validation import ArgumentErrors
from fsxcopy_sdk.errors import ConfigurationError, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import ResponseMetadata

if TYPE_CHECKING:
    from types_aiobotocore_fsx.client import FSxClient
    from types_aiobotocore_fsx.type_defs import (
        CopyBackupRequestTypeDef,
        DeleteBackupRequestTypeDef,
        DescribeBackupsRequestTypeDef,
    )

_log = logging.getLogger("fsxcopy_sdk.transport")


class Transport:
    """
    Call the service through an aiobotocore client.

    Every call ends, of a client of the caller's own too: see `_bounds` for when.
    """

    def __init__(self, raw: FSxClient) -> None:
        errors = ArgumentErrors()
        given: object = raw
        if not isinstance(given, AioBaseClient) or given.meta.service_model.service_name != "fsx":
            errors.add_type("raw", "an aiobotocore FSx client", raw)
        errors.raise_any()
        self._raw = raw
        self._seconds = call_seconds(raw.meta.config)
        self.region: str = raw.meta.region_name
        observe(raw.meta.events)

    async def copy_backup(self, request: CopyBackupRequestTypeDef) -> RawResponse:
        """
        Send one CopyBackup request.

        Raises:
            FsxCopyError: any of the tree but the waits'.
        """
        return await self._call("CopyBackup", request, self._raw.copy_backup(**request))

    async def describe_backups(self, request: DescribeBackupsRequestTypeDef) -> RawResponse:
        """
        Send one DescribeBackups request.

        Raises:
            FsxCopyError: any of the tree but the waits'.
        """
        return await self._call("DescribeBackups", request, self._raw.describe_backups(**request))

    async def delete_backup(self, request: DeleteBackupRequestTypeDef) -> RawResponse:
        """
        Send one DeleteBackup request.

        Raises:
            FsxCopyError: any of the tree but the waits'.
        """
        return await self._call("DeleteBackup", request, self._raw.delete_backup(**request))

    async def _call(
        self,
        operation: str,
        request: Mapping[str, object],
        pending: Awaitable[Mapping[str, object]],
    ) -> RawResponse:
        record = Exchange(operation, request)
        token = current.set(record)
        try:
            parsed = await within(self._seconds, pending)
        except Exception as error:
            ours = _failure(operation, record, error)
            _log.debug("%s: %s, attempts %d", operation, type(ours).__name__, record.attempts)
            raise ours from error
        finally:
            current.reset(token)
        if record.stranger:
            raise _stranger_answered(operation, record, record.stranger)
        metadata = _metadata(record, parsed.get("ResponseMetadata"))
        _log.debug("%s: %s", operation, metadata)
        payload = parsed if record.body is None else record.body
        return RawResponse(operation=operation, payload=payload, metadata=metadata)


@asynccontextmanager
async def open_transport(
    region: str | None,
    session: AioSession | None,
    endpoint_url: str | None,
    config: Config | None,
) -> AsyncIterator[Transport]:
    """
    Make an aiobotocore client for one Region, and close it at the end.

    Raises:
        InvalidArguments: an argument is not of its type.
        ConfigurationError: no Region, no such profile, a bad endpoint ...
        CredentialsUnavailable: the credentials cannot be loaded.
    """
    _check_types(region, session, endpoint_url, config)
    try:
        session, careful = await prepare(session, config)
        _check_region(region, careful, session)
        context = session.create_client(
            "fsx", region_name=region, endpoint_url=endpoint_url, config=careful
        )
        with taking_turns(session):
            raw = await context.__aenter__()
    except FsxCopyError:
        raise
    except Exception as error:
        raise translate(error) from error
    try:
        yield Transport(raw)
    finally:
        try:
            await context.__aexit__(None, None, None)
        except Exception as error:
            raise translate(error) from error


def _check_types(region: object, session: object, endpoint_url: object, config: object) -> None:
    errors = ArgumentErrors()
    for name, value, cls in (
        ("region", region, str),
        ("session", session, AioSession),
        ("endpoint_url", endpoint_url, str),
        ("config", config, Config),
    ):
        if value is not None and not isinstance(value, cls):
            # Not shown: keys are given here by mistake.
            errors.add_type(name, f"{cls.__name__} or None", value)
    errors.raise_any()


def _check_region(region: str | None, config: Config, session: AioSession) -> None:
    """
    Refuse an empty Region, with which botocore would sign and the service blame the key.

    Raises:
        ConfigurationError: it is empty where botocore finds it first.
    """
    places = (region, config.region_name, session.get_config_variable("region"))
    if next((place for place in places if place is not None), None) == "":
        raise ConfigurationError(
            "region: must not be empty; it is in the argument, the config, AWS_DEFAULT_REGION "
            "or the profile"
        )


def _failure(operation: str, record: Exchange, error: Exception) -> FsxCopyError:
    """
    Return the exception of this package that says what really happened.
    """
    if record.stranger:
        return _stranger_answered(operation, record, record.stranger)
    if isinstance(error, BodyTooLargeError):
        return _too_large(operation, record, error)
    if not isinstance(error, ClientError) or error.operation_name != operation:
        return translate(error, operation, record.attempts, record.unsent)
    metadata = _metadata(record, error.response.get("ResponseMetadata"))
    return service_error(
        record.error or _parsed_error(error),
        operation=operation,
        metadata=metadata,
        body=record.body,
    )


def _stranger_answered(operation: str, record: Exchange, url: str) -> ResponseDecodingError:
    fault = f"$: {url} answered, after a redirect away from the endpoint"
    return ResponseDecodingError(
        f"The answer is not the service's: {fault}",
        operation=operation,
        attempts=record.attempts,
        http_status=record.status,
        error_paths=(fault,),
        payload=record.body,
        is_malformed=True,
    )


def _too_large(
    operation: str, record: Exchange, error: BodyTooLargeError
) -> ResponseDecodingError:
    fault = f"$: {error}"
    request_id = error.headers.get("x-amzn-requestid")
    return ResponseDecodingError(
        f"The answer was not read to its end: {fault}",
        operation=operation,
        attempts=record.attempts,
        request_id=request_id,
        http_status=error.status,
        error_paths=(fault,),
        # The service would send it again; what anything else sends may pass.
        is_malformed=request_id is None,
    )


def _parsed_error(error: ClientError) -> ErrorDocument:
    """
    Take an error as botocore read it, where no HTTP answer was seen (a stub's, say).
    """
    described = error.response.get("Error", {})
    return ErrorDocument(
        code=described.get("Code", "Unknown"),
        message=described.get("Message", ""),
        members=error.response,
    )


def _metadata(record: Exchange, described: object) -> ResponseMetadata:
    """
    Say how the exchange went, from botocore's account where ours saw nothing.
    """
    theirs = described if isinstance(described, Mapping) else {}
    headers = record.headers or theirs.get("HTTPHeaders", {})
    return ResponseMetadata(
        request_id=headers.get("x-amzn-requestid") or theirs.get("RequestId"),
        http_status=record.status or theirs.get("HTTPStatusCode", 200),
        attempts=max(record.attempts, 1),
        date=_date(headers.get("date")),
    )


def _date(text: str | None) -> datetime | None:
    """
    Read an HTTP date; what names no time zone is in UTC (RFC 9110, 5.6.7).
    """
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or none that a datetime can hold
        return None
