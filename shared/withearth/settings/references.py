"""Secrets that stand in the settings as `secret://NAME` and are fetched only when they are needed."""

import re
from typing import Final, Protocol

SCHEME: Final = "secret://"


class SecretSource(Protocol):
    """Where secrets are kept."""

    def resolve(self, name: str) -> str:
        """Return the value stored under this name."""
        ...

    def forget(self, name: str) -> None:
        """Fetch the value anew when it is asked for next: the one that was given did not open its door."""
        ...


def is_reference(value: str) -> bool:
    """Tell whether the text is a well-formed `secret://NAME`."""
    return re.fullmatch(r"secret://[A-Za-z0-9_-]{1,255}", value) is not None


def is_reference_attempt(value: str) -> bool:
    """Tell whether the text was meant as a reference, well-formed or not."""
    return value.strip().lower().startswith("secret:")
