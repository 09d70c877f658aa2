r"""
Copy backups over HTTP, and follow them with server-sent events: a FastAPI application.

All requests share one client, and so its waits: a hundred browsers that follow a copy cost as
many calls as one does. A browser that goes away ends its own wait and nothing else.

By hand, with ``pip install fastapi uvicorn``: let ``fsxcopy local --with-example`` run in another
terminal, set AWS_ENDPOINT_URL_FSX to the URL that it prints, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY to anything and AWS_REGION to us-west-2, and

    uvicorn --app-dir examples fastapi_app:app
    curl --json '{"SourceBackupId": "backup-03e3c82e0183b7b6b", "SourceRegion": "us-east-2"}' \
      http://127.0.0.1:8000/copies
    curl --no-buffer http://127.0.0.1:8000/copies/BACKUP_ID/events
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from fsxcopy_sdk import BackupNotFound, FsxCopyClient, FsxCopyError, InvalidArguments
from fsxcopy_sdk.bulk import (
    Copied,
    CopyFailed,
    CopyNotObserved,
    CopyRequest,
    CopyStarted,
    copy_many,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the client in the event loop that serves, and close it at the end."""
    async with FsxCopyClient() as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


def opened(request: Request) -> FsxCopyClient:
    """Return the client of the application; tests give another one instead."""
    client: FsxCopyClient = request.app.state.client
    return client


Client = Annotated[FsxCopyClient, Depends(opened)]


class NewCopy(BaseModel):
    """What to copy into the Region of the client."""

    SourceBackupId: str
    SourceRegion: str | None = None


@app.exception_handler(FsxCopyError)
async def refuse(_: Request, error: FsxCopyError) -> JSONResponse:
    """Answer with the error as JSON; a transient one invites to try again."""
    known = {InvalidArguments: 422, BackupNotFound: 404}
    status = known.get(type(error), 503 if error.is_transient else 502)
    return JSONResponse(error.to_dict(), status_code=status)


@app.post("/copies", status_code=202)
async def begin(new: NewCopy, client: Client) -> dict[str, str]:
    """Begin a copy, or find the one that there is; both answers are the same."""
    request = CopyRequest(source_backup_id=new.SourceBackupId, source_region=new.SourceRegion)
    async with copy_many(client, [request], wait=False) as copies:
        (outcome,) = [one async for one in copies]
    match outcome:
        case Copied() | CopyStarted():
            return {"BackupId": outcome.backup.backup_id}
        case CopyFailed():
            raise outcome.error
        case CopyNotObserved():  # a listing shows by then whether there is a copy
            raise HTTPException(503, str(outcome), headers={"Retry-After": "3600"})
        case _:
            raise HTTPException(503, str(outcome), headers={"Retry-After": "300"})


@app.get("/copies/{backup_id}/events", response_class=EventSourceResponse)
async def follow(backup_id: str, client: Client) -> AsyncIterator[ServerSentEvent]:
    """Send an event for each observation of a copy, and one for its end."""
    try:
        # Starlette cancels this when the browser goes away, which ends the wait.
        async with aclosing(client.watch_backup(backup_id)) as observations:
            async for backup in observations:
                seen = {"Lifecycle": backup.lifecycle, "ProgressPercent": backup.progress_percent}
                yield ServerSentEvent(event="seen", data=seen)
        yield ServerSentEvent(event="available", data={"BackupId": backup_id})
    except FsxCopyError as error:
        yield ServerSentEvent(event="ended", data=error.to_dict())
