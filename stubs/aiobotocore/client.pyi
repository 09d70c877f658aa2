from types import TracebackType
from typing import Self

from botocore.client import ClientMeta

class AioBaseClient:
    meta: ClientMeta
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None: ...
