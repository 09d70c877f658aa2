from botocore.hooks import BaseEventHooks

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
    def region_name(self) -> str: ...
