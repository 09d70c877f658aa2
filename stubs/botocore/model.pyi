class ServiceModel:
    service_name: str
    def __init__(self, service_description: object, service_name: str | None = None) -> None: ...

class OperationModel:
    @property
    def name(self) -> str: ...
    def __init__(
        self, operation_model: object, service_model: ServiceModel, name: str | None = None
    ) -> None: ...
