"""How often a call to one of Google's services is repeated, and how long is waited in between."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from withearth.domain.errors import Retryable

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `attempts` calls of at most `attempt_s` each, with waits in between that double up to `most_s`.

    Each wait is drawn between half of that and all of it, so that who collided once does not collide again.
    """

    attempts: int = 7
    attempt_s: float = 8.0
    first_s: float = 0.05
    most_s: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = Random().random  # noqa: S311 - who waits how long is no secret

    def pause(self, attempt: int) -> None:
        """Wait after the failure of call `attempt`, counted from 1."""
        self.sleep(min(self.most_s, self.first_s * 2.0 ** (attempt - 1)) * (0.5 + self.chance() / 2))

    def repeat(self, call: Callable[[], Result]) -> Result:
        """What `call` returns; it is repeated while it raises Retryable. Only for what may be done twice."""
        for attempt in range(1, self.attempts):
            try:
                return call()
            except Retryable:
                self.pause(attempt)
        return call()


PATIENCE: Final = Patience()
"""Two or three seconds where calls fail at once, less than a minute in all: shorter than a lease."""
