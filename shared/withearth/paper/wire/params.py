"""Reads a request's parameters into values, and refuses what cannot be one in the exchange's words."""

import json
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.wire import errors

INTEGER: Final = "^[0-9]{1,20}$"
DECIMAL: Final = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
# A minus sign passes here: the engine answers a negative number with a code of its own, -4001 or -4003.
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_WHOLE: Final = re.compile(r"[0-9]{1,20}")
_BOOLEANS: Final = {"true": True, "false": False}
_LARGEST: Final = 2**63 - 1

Word = TypeVar("Word", bound=StrEnum)


class Params:
    """The parameters of one request. Every reader but `required` gives None for a parameter that was not sent."""

    __slots__ = ("_sent",)

    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent = sent

    def __contains__(self, name: str) -> bool:
        return name in self._sent

    def names(self) -> Collection[str]:
        """What was sent."""
        return self._sent.keys()

    def text(self, name: str) -> str | None:
        """The text as it is. Raises VenueError when it is empty."""
        value = self._sent.get(name)
        if value == "":
            raise VenueError(Refusal.EMPTY_PARAMETER, name)
        return value

    def required(self, name: str) -> str:
        """The text. Raises VenueError when there is none."""
        value = self._sent.get(name)
        if not value:
            raise errors.missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number that is not negative."""
        text = self.text(name)
        if text is None:
            return None
        if not _WHOLE.fullmatch(text) or int(text) > _LARGEST:
            raise errors.illegal(name, INTEGER)
        return int(text)

    def number(self, name: str) -> Decimal | None:
        """A plain decimal: `1e-05`, `NaN` and thousands separators are none."""
        text = self.text(name)
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise errors.illegal(name, DECIMAL)
        return Decimal(text)

    def flag(self, name: str) -> bool | None:
        """`true` or `false`, in any case."""
        text = self.text(name)
        if text is None:
            return None
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise errors.invalid(name)
        return value

    def word(self, name: str, words: type[Word], refusal: Refusal | None = None) -> Word | None:
        """A word of an enumeration. Raises VenueError with `refusal`, or with -1130, for any other."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return words(text)
        except ValueError:
            raise (VenueError(refusal) if refusal else errors.invalid(name)) from None

    def limit(self, default: int, most: int) -> int:
        """`limit`, cut to the most the endpoint gives."""
        asked = self.integer("limit")
        if asked == 0:
            raise errors.invalid("limit")
        return default if asked is None else min(asked, most)

    def rows(self, name: str) -> list[Any] | None:
        """A JSON array, its numbers as text."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = json.loads(text, parse_float=str, parse_int=str)
        except ValueError as error:
            raise errors.invalid(name) from error
        if not isinstance(value, list):
            raise errors.invalid(name)
        return value
