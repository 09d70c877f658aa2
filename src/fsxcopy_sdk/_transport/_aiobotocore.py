"""The transport over an aiobotocore client: each call returns one answer or raises one error."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from anyio.to_thread import run_sync
from botocore.config import Config
from botocore.exceptions import ClientError

from fsxcopy_sdk._codec import RawResponse
from fsxcopy_sdk._error_mapping import ErrorDocument, service_error
from fsxcopy_sdk._transport._botocore_errors import from_botocore_error
from fsxcopy_sdk._transport._config import (
    build_config,
    check_certificates,
    check_endpoint,
    check_event_loop,
    find_region,
    session_of_profile,
)
from fsxcopy_sdk._transport._exchange import Exchange, current, observe
from fsxcopy_sdk._transport._http import BodyTooLargeError, call_seconds, within
from fsxcopy_sdk._transport._protocols import SupportsClient, SupportsConfig, SupportsSession
from fsxcopy_sdk._validation import ArgumentErrors, invalid, type_of
from fsxcopy_sdk.errors import CallError, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import ResponseMetadata

if TYPE_CHECKING:
    from types_aiobotocore_fsx.client import FSxClient

_log = logging.getLogger("fsxcopy_sdk.transport")


class AiobotocoreTransport:
    """Call the service through an aiobotocore client; every call ends, as `_http` says."""

    def __init__(self, raw: SupportsClient, profile: str | None = None) -> None:
        given: object = raw
        if not isinstance(given, AioBaseClient) or given.meta.service_model.service_name != "fsx":
            raise invalid("raw", "an aiobotocore FSx client", type_of(raw))
        self._raw = cast("FSxClient", raw)
        self._profile = profile
        meta = self._raw.meta
        self._seconds = call_seconds(meta.config)
        self.region: str = meta.region_name
        observe(meta.events)

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("CopyBackup", self._raw.copy_backup, request)

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("DescribeBackups", self._raw.describe_backups, request)

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("DeleteBackup", self._raw.delete_backup, request)

    async def _call(
        self,
        operation: str,
        method: Callable[..., Awaitable[Mapping[str, object]]],
        request: Mapping[str, object],
    ) -> RawResponse:
        record = Exchange(operation, request)
        token = current.set(record)
        try:
            parsed = await within(self._seconds, method(**request))
        except Exception as error:
            ours = _failure(record, error, self._profile)
            if isinstance(ours, CallError):
                ours.refused_attempts = record.refused
            self._log_end(operation, ours, record.attempts)
            if ours is error:
                raise
            raise ours from error
        finally:
            current.reset(token)
        if record.redirected_to:
            raise _answer_from_elsewhere(record)
        metadata = _metadata(record, parsed.get("ResponseMetadata"))
        self._log_end(operation, metadata, record.attempts)
        payload = parsed if record.body is None else record.body
        return RawResponse(operation=operation, payload=payload, metadata=metadata)

    def _log_end(
        self, operation: str, how: ResponseMetadata | FsxCopyError, attempts: int
    ) -> None:
        # Not the error's text: the code that handles it decides whether that is logged.
        error_type = type(how).__name__ if isinstance(how, FsxCopyError) else None
        extra = {
            "operation": operation,
            "region": self.region,
            "request_id": getattr(how, "request_id", None),  # without an answer there is none
            "attempts": attempts,
            "error_type": error_type,
        }
        text = "%s in %s: %s, attempts %d"
        _log.debug(text, operation, self.region, error_type or "answered", attempts, extra=extra)


@asynccontextmanager
async def open_transport(
    region: str | None,
    session: SupportsSession | None,
    endpoint_url: str | None,
    config: SupportsConfig | None,
) -> AsyncIterator[AiobotocoreTransport]:
    """Make an aiobotocore client for one Region, and close it at the end."""
    _check_types(region, session, endpoint_url, config)
    profile: str | None = None
    try:
        check_endpoint(endpoint_url)
        ready, complete = await run_sync(
            _prepare, cast("AioSession | None", session), cast("Config | None", config)
        )
        check_event_loop(complete)
        profile = ready.get_config_variable("profile")
        context = ready.create_client(
            "fsx",
            region_name=find_region(region, complete, ready),
            endpoint_url=endpoint_url,
            config=complete,
        )
        raw = await context.__aenter__()
    except FsxCopyError:
        raise
    except Exception as error:
        raise from_botocore_error(error, profile=profile) from error
    try:
        check_endpoint(raw.meta.endpoint_url)  # it may be of the environment or the profile
        yield AiobotocoreTransport(raw, profile)
    finally:
        try:
            await context.__aexit__(None, None, None)
        except Exception as error:
            raise from_botocore_error(error) from error


def _prepare(session: AioSession | None, config: Config | None) -> tuple[AioSession, AioConfig]:
    """Return a session that has read botocore's files, and the config for a client of it."""
    # It runs in a thread, because reading more than a megabyte of JSON would block the event loop
    # for some 50 ms. aiobotocore's `warm_up_loader_caches` reads three times as many files, for
    # paginators, waiters and documentation, and takes 20 ms longer.
    if session is None:
        session = session_of_profile()
        chosen: type = getattr(config, "http_session_cls", AIOHTTPSession)
        if not issubclass(chosen, AIOHTTPSession):
            # Calls for credentials take theirs from here; on trio, that of aiohttp would fail.
            session.set_default_client_config(AioConfig(http_session_cls=chosen))
    loader = session.get_component("data_loader")
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    for type_name in ("service-2", "endpoint-rule-set-1"):
        loader.load_service_model("fsx", type_name, api_version=None)  # its cache has this key
    complete = build_config(session, config)
    check_certificates(session, complete)
    return session, complete


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
            errors.add(name, f"{cls.__name__} or None", type_of(value))
    errors.raise_any()


def _failure(record: Exchange, error: Exception, profile: str | None) -> FsxCopyError:
    if record.redirected_to:
        return _answer_from_elsewhere(record)
    if isinstance(error, BodyTooLargeError):
        return _too_large(record, error)
    if not isinstance(error, ClientError) or error.operation_name != record.operation:
        return from_botocore_error(
            error, record.operation, record.attempts, record.unsent, profile
        )
    parsed = error.response.get("Error", {})
    # Without an HTTP answer, as with a stub, only what botocore parsed is known.
    document = record.error or ErrorDocument(
        code=parsed.get("Code", "Unknown"),
        message=parsed.get("Message", ""),
        members=error.response,
    )
    return service_error(
        document,
        operation=record.operation,
        metadata=_metadata(record, error.response.get("ResponseMetadata")),
        body=record.body,
    )


def _answer_from_elsewhere(record: Exchange) -> ResponseDecodingError:
    path = f"$: {record.redirected_to} answered, after a redirect away from the endpoint"
    return ResponseDecodingError(
        f"The answer is not the service's: {path}",
        operation=record.operation,
        attempts=record.attempts,
        http_status=record.status,
        error_paths=(path,),
        payload=record.body,
        is_malformed=True,
    )


def _too_large(record: Exchange, error: BodyTooLargeError) -> ResponseDecodingError:
    path = f"$: {error}"
    request_id = error.headers.get("x-amzn-requestid")
    return ResponseDecodingError(
        f"The answer was not read to its end: {path}",
        operation=record.operation,
        attempts=record.attempts,
        request_id=request_id,
        http_status=error.status,
        error_paths=(path,),
        # The service would send it again; a response of another host may be temporary.
        is_malformed=request_id is None,
    )


def _metadata(record: Exchange, parsed: object) -> ResponseMetadata:
    """Describe the exchange, from what botocore parsed where none was seen."""
    theirs = parsed if isinstance(parsed, Mapping) else {}
    headers = record.headers or theirs.get("HTTPHeaders", {})
    return ResponseMetadata(
        request_id=headers.get("x-amzn-requestid") or theirs.get("RequestId"),
        http_status=record.status or theirs.get("HTTPStatusCode", 200),
        attempts=max(record.attempts, 1),
        date=_date(headers.get("date", "")),
    )


def _date(text: str) -> datetime | None:
    """Read an HTTP date, which is in UTC if it names no time zone (RFC 9110, 5.6.7)."""
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or none that a datetime can hold
        return None
