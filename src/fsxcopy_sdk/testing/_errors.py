"""
What the local FSx raises to answer with an error of the service.
"""

from __future__ import annotations

from typing import Final

from ._json import Document, JsonValue

LONGEST_MESSAGE: Final = 256
"""Characters; the maximum of the service model's ErrorMessage."""


class ServiceFailure(Exception):
    """
    Answer the call with an error that the service's model has.
    """

    status = 400
    """HTTP status; AWS JSON gives 400 to whatever the caller can mend."""

    message_member = "Message"
    """The member that carries the text."""

    def __init__(self, code: str, message: str, **members: JsonValue) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message[:LONGEST_MESSAGE]
        self.members = members

    def document(self) -> Document:
        """
        Return the body of the answer.
        """
        return {
            "__type": self.code,
            self.message_member: self.message,
            **self.members,
        }


class ProtocolFailure(ServiceFailure):
    """
    Answer with an error from before the operation, which no model has.
    """

    message_member = "message"
    """
    As recorded from services of this protocol (aws/aws-sdk-ruby issue 431).
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(code, message)
        self.status = status
