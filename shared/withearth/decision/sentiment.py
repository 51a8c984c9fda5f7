"""Sentiment: what a source made of public posts about a symbol, as three numbers and an instant.

Words of the posts exist only inside the source that reads them. Nothing here can hold a text, so nothing of a text can
reach the question a model is asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from withearth.decision.spend import Spend


class SentimentNumbers(BaseModel):
    """What a source may answer, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    score: float = Field(ge=-1, le=1, description="mood of the posts, -1 bearish to 1 bullish")
    confidence: float = Field(ge=0, le=1, description="how sure the score is, 0 to 1")
    sample_size: int = Field(ge=0, le=1_000_000, description="how many posts were read")


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The mood of posts about a symbol: score −1 to 1, confidence 0 to 1, and how many posts it rests on."""

    score: float
    confidence: float
    sample_size: int
    as_of: datetime

    def to_document(self) -> dict[str, Any]:
        """The numbers as they stand in documents."""
        return {
            "score": self.score,
            "confidence": self.confidence,
            "sample_size": self.sample_size,
            "as_of": self.as_of,
        }

    @classmethod
    def from_document(cls, data: Any) -> Self:
        """The numbers a document holds. Raises KeyError, TypeError or ValueError when it holds anything else."""
        numbers = SentimentNumbers.model_validate({name: data[name] for name in SentimentNumbers.model_fields})
        if not isinstance(data["as_of"], datetime):
            raise TypeError("as_of is no instant")
        return cls(**numbers.model_dump(), as_of=data["as_of"])

    def is_fresh(self, as_of: datetime, age_max: timedelta) -> bool:
        """Whether it was known at `as_of`, and not longer than `age_max`."""
        return timedelta(0) <= as_of - self.as_of <= age_max


class SentimentSource(Protocol):
    """Reads what is written about one symbol."""

    def read(self, symbol: str) -> tuple[SentimentNumbers, Spend]:
        """The numbers, and what reading them cost. Raises Refused with the reason for which there are none."""
        ...
