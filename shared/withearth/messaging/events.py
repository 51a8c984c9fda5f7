"""The two events of the flow, as they travel: JSON with decimal strings and UTC instants.

Unknown fields, another version, floats where decimals belong: refused, because a sender we do not understand must
not move money.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from withearth.domain.errors import InvalidEvent
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.domain.times import decision_id, tick_id, tick_time


def _not_a_float(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("a decimal travels as text, was a float")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _not_a_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("an instant travels as text, was a number")  # noqa: TRY004 - see above
    return value


Symbol = Annotated[str, Field(pattern=r"^\w{2,20}$")]
# Twenty digits are more than any price, quantity or rate has, and few enough for every product to stay exact.
Number = Annotated[Decimal, BeforeValidator(_not_a_float), Field(max_digits=20, decimal_places=10, allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Instant = Annotated[AwareDatetime, BeforeValidator(_not_a_number)]


class Event(BaseModel):
    """What every event of ours has: a version, and a symbol which is also its ordering key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    symbol: Symbol

    @property
    def about(self) -> str:
        """The id of the decision that this leads to, or comes from."""
        raise NotImplementedError


class QuoteSlice(BaseModel):
    """One symbol's share of the dispatcher's all-symbol calls: best bid and ask, and the funding that applies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bid: NotNegative
    ask: NotNegative
    observed_at: Instant
    funding_rate: Number | None = None
    next_funding_at: Instant | None = None


class MarketTick(Event):
    """A 5m bar has closed: decide on this symbol. `quote` is absent when the market had none.

    `no_quote` says why, where that was the same for every symbol. `charted` asks to leave the candles for the
    dashboard's charts. `fallbacks` are the calls for quotes that another way had to make, if any.
    """

    tick_id: str
    quote: QuoteSlice | None = None
    no_quote: Reason | None = None
    charted: bool = False
    fallbacks: tuple[str, ...] | None = None

    @property
    def about(self) -> str:
        """The id of the decision that is asked for."""
        return decision_id(self.symbol, self.tick_id)

    @field_validator("tick_id")
    @classmethod
    def _must_be_a_tick(cls, value: str) -> str:
        tick_time(value)
        return value


class TradeIntent(Event):
    """A decision that passed every check, and wants to become a trade. Prices in the quote asset, qty in the base."""

    intent_id: Annotated[str, Field(pattern=r"^\w{2,20}-\d{8}T\d{4}Z$")]
    side: Side
    qty: Positive
    entry: Positive
    tp: Positive
    sl: Positive
    prob: Annotated[float, Field(ge=0, le=1, strict=True)]
    horizon_min: Annotated[int, Field(gt=0, strict=True)]
    decided_at: Instant
    expires_at: Instant

    @property
    def about(self) -> str:
        """The id of the decision that wants this."""
        return self.intent_id

    @model_validator(mode="after")
    def _must_be_one_trade(self) -> Self:
        sign = self.side.sign
        if not self.sl * sign < self.entry * sign < self.tp * sign:
            raise ValueError("stop, entry and target do not stand in order")
        if self.decided_at >= self.expires_at:
            raise ValueError("it expires before it was decided")
        if self.intent_id != decision_id(self.symbol, tick_id(self.decided_at)):
            raise ValueError("the id is not that of its symbol and tick")
        return self


AnyEvent = TypeVar("AnyEvent", bound=Event)


def encode(event: Event) -> bytes:
    """The event as it is published."""
    return event.model_dump_json(exclude_none=True).encode()


def decode(model: type[AnyEvent], data: bytes) -> AnyEvent:
    """The event in `data`. Raises InvalidEvent with EVENT_MALFORMED, naming the first field that is wrong."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise InvalidEvent(Reason.EVENT_MALFORMED, f"{where}: {first['msg']}") from error
