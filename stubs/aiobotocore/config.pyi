from aiobotocore.httpsession import AIOHTTPSession
from botocore.config import Config

class AioConfig(Config):
    http_session_cls: type[AIOHTTPSession]
    def __init__(
        self,
        connector_args: object = ...,
        http_session_cls: type[AIOHTTPSession] | object = ...,
        warm_up_loader_caches: bool | object = ...,
        **kwargs: object,
    ) -> None: ...
    def merge(self, other_config: Config) -> AioConfig: ...
