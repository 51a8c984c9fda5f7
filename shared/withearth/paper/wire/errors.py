"""The refusals a face makes itself, before the engine is asked. Their texts are the engine's catalogue."""

from collections.abc import Mapping
from typing import Any, Final

from withearth.paper.engine.errors import Refusal, VenueError

NOT_FOUND: Final = 404


class Limited(VenueError):
    """A refusal that says when to come back."""

    def __init__(self, refusal: Refusal, *details: object, retry_after_s: int) -> None:
        super().__init__(refusal, *details)
        self.headers: Mapping[str, str] = {"Retry-After": str(max(1, retry_after_s))}


def document(error: VenueError) -> dict[str, Any]:
    """The answer's document."""
    return {"code": error.code, "msg": error.message}


def missing(name: str) -> VenueError:
    """A mandatory parameter is absent or empty."""
    return VenueError(Refusal.MANDATORY_PARAMETER, name)


def missing_either(first: str, second: str) -> VenueError:
    """Of two parameters neither was sent."""
    return VenueError(Refusal.EITHER_PARAMETER, first, second)


def illegal(name: str, legal: str) -> VenueError:
    """A parameter's text is not of its kind."""
    return VenueError(Refusal.ILLEGAL_CHARS, name, legal)


def invalid(name: str) -> VenueError:
    """A parameter's value is none of those the endpoint knows."""
    return VenueError(Refusal.INVALID_PARAMETER, name)


def unread(read: int, sent: int) -> VenueError:
    """Parameters came that the endpoint does not have."""
    return VenueError(Refusal.UNREAD_PARAMETERS, read, sent)
