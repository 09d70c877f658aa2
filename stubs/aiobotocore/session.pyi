from collections.abc import Coroutine
from types import TracebackType

from aiobotocore.credentials import AioCredentials
from botocore.session import Session
from types_aiobotocore_fsx.client import FSxClient

# The runtime class serves every service; this package makes clients of FSx only.
class ClientCreatorContext:
    def __init__(self, coro: Coroutine[object, object, FSxClient]) -> None: ...
    async def __aenter__(self) -> FSxClient: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None: ...

class AioSession(Session):
    def create_client(self, *args: object, **kwargs: object) -> ClientCreatorContext: ...
    async def get_available_regions(  # type: ignore[override]  # as the class does
        self, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]: ...
    async def get_credentials(self) -> AioCredentials | None: ...
