from botocore.config import Config
from botocore.hooks import BaseEventHooks
from botocore.model import ServiceModel

class ClientMeta:
    def __init__(
        self,
        events: BaseEventHooks,
        client_config: object,
        endpoint_url: str,
        service_model: object,
        method_to_api_mapping: object,
        partition: str,
    ) -> None: ...
    events: BaseEventHooks
    @property
    def endpoint_url(self) -> str: ...
    @property
    def service_model(self) -> ServiceModel: ...
    @property
    def config(self) -> Config: ...
    @property
    def region_name(self) -> str: ...
