"""The errors of withEarth, split by what the caller has to do.

WithEarthError
├── Misconfigured      a person has to change something: the process stops with one sentence
├── Misbooked          our books and the exchange's differ: a person has to look
├── Retryable          the same call may succeed later: the message is delivered again
│   ├── Contention     somebody else holds the lease or changed the document first
│   └── Unavailable    the store, the bus or the market did not answer
└── Refused            final for this input: recorded under its reason, never delivered again
    ├── MarketFault    the market data do not allow a decision
    ├── Unanswered     a predictor gave no answer that may be used (`decision/prediction.py`)
    └── InvalidEvent   the message is not one of ours, or not one we act on
"""

from withearth.domain.reasons import Reason


class WithEarthError(Exception):
    """Base of every error this project raises on purpose."""


class Misconfigured(WithEarthError):
    """A setting, a file or a machine has to be changed by a person before work can go on."""


class Misbooked(WithEarthError):
    """Our books and the exchange's say different things."""


class Retryable(WithEarthError):
    """The call did not succeed, and may when it is made again."""


class Contention(Retryable):
    """Somebody else changed the document, or holds the lease, first."""


class Unavailable(Retryable):
    """A store, a bus or a market did not answer."""


class Refused(WithEarthError):
    """The input is refused for good, under an enumerated reason."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail or reason.sentence}")
        self.reason = reason
        self.detail = detail


class MarketFault(Refused):
    """The market data do not allow a decision."""


class InvalidEvent(Refused):
    """The message is malformed, oversized, or not meant for this installation."""
