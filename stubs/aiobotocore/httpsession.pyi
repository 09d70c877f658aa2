from collections.abc import Awaitable
from typing import Any, Protocol

from aiobotocore.awsrequest import AioAWSResponse
from aiohttp import ClientResponse
from botocore.awsrequest import AWSPreparedRequest

# What aiobotocore calls on an aiohttp session. Any: the options are aiohttp's.
class _Requester(Protocol):
    def request(self, method: str, **options: Any) -> Awaitable[ClientResponse]: ...

class AIOHTTPSession:
    def __init__(
        self,
        verify: bool = True,
        proxies: dict[str, str] | None = None,
        timeout: float | None = None,
        max_pool_connections: int = 10,
        socket_options: object = None,
        client_cert: object = None,
        proxies_config: object = None,
        connector_args: object = None,
    ) -> None: ...
    async def _get_session(self, proxy_url: str | None) -> _Requester: ...
    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse: ...
