"""The Gemini predictor: one question, one answer that passes every check, or one reason why not.

It walks its models while they turn out to be retired, and asks one model at most twice: the second time with the
very same request, never with what came back. Everything ends within G_TIMEOUT_MS. Each attempt is kept with its exact
response, its tokens, its cost and its latency, whether or not it came to anything.

An attempt whose cost nobody can know, because no usage came back although the request went out, counts at the most it
can have cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from withearth.decision.prediction import Answer, Prediction, Question, Unanswered
from withearth.decision.prompt import PROMPT_VERSION, build_prompt, estimated_tokens
from withearth.decision.schema import SCHEMA_VERSION
from withearth.decision.spend import NOTHING, Spend, spend
from withearth.decision.wire import RESPONSE_CHARACTERS_MAX, Reading, judge, read_response, request_body
from withearth.domain.canonical import canonical_json, digest
from withearth.domain.clock import Clock
from withearth.domain.errors import Refused
from withearth.domain.reasons import Reason
from withearth.settings import Settings

ATTEMPTS_MAX: Final = 2
RETRY_AFTER: Final = timedelta(milliseconds=500)
"""How long to wait before the second attempt where the service names no time."""
ATTEMPT_MIN: Final = timedelta(milliseconds=250)
"""With less time left than this nothing is asked any more."""
WORTH_A_RETRY: Final = frozenset(
    {Reason.MODEL_TRUNCATED, Reason.MODEL_INVALID, Reason.MODEL_BUSY, Reason.MODEL_UNREACHABLE}
)
FRAMING_TOKENS: Final = 50
"""What a service may add around our texts."""


class ModelFault(Refused):
    """A call that brought no response. `charged` says whether it may have cost something all the same."""

    def __init__(
        self, reason: Reason, detail: str, *, charged: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(reason, detail)
        self.charged = charged
        self.retry_after = retry_after


class ModelService(Protocol):
    """Carries one request to one model."""

    @property
    def version(self) -> str:
        """What carries it, with its version, for the audit."""
        ...

    def generate(self, model: str, body: dict[str, Any], timeout: timedelta) -> str:
        """The response's body, as it came. Raises ModelFault within `timeout`."""
        ...


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One call: what it cost, and what is kept of it."""

    spent: Spend
    record: dict[str, Any]


@dataclass(slots=True)
class _Conversation:
    """A question being asked."""

    question: Question
    body: dict[str, Any]
    tokens_in: int
    started: datetime
    attempts: list[_Attempt] = field(default_factory=list)


class GeminiPredictor:
    """Asks Gemini under a schema."""

    def __init__(
        self,
        settings: Settings,
        models: Sequence[str],
        clock: Clock,
        service: ModelService,
        pause: Callable[[float], None],
    ) -> None:
        """`models` in the order in which they are asked; `pause` waits so many seconds between two attempts."""
        self.name: Final = f"{models[0]}@{PROMPT_VERSION}.{SCHEMA_VERSION}"
        self._models = models
        self._settings = settings
        self._clock = clock
        self._service = service
        self._pause = pause

    def spend_max(self, question: Question) -> Spend:
        """Both attempts at their full length."""
        tokens_in = _tokens_in(request_body(build_prompt(question, self._settings), self._settings))
        return self._dearest(ATTEMPTS_MAX * tokens_in, ATTEMPTS_MAX)

    def _dearest(self, tokens_in: int, attempts: int) -> Spend:
        return spend(tokens_in, attempts * self._settings.g_max_tokens, self._settings)

    def predict(self, question: Question) -> Answer:
        """The model's answer. Raises Unanswered."""
        body = request_body(build_prompt(question, self._settings), self._settings)
        talk = _Conversation(question, body, _tokens_in(body), self._clock.now())
        outcome = self._ask_models(talk)
        audit = self._audit(talk)
        if isinstance(outcome, Prediction):
            return Answer(outcome, audit)
        raise Unanswered(outcome.reason, outcome.detail, audit)

    def _ask_models(self, talk: _Conversation) -> Prediction | Refused:
        """Ask the listed models in turn for as long as each turns out to be retired."""
        outcome: Prediction | Refused = Refused(Reason.MODEL_RETIRED)
        for model in self._models:
            outcome = self._ask(talk, model)
            if isinstance(outcome, Prediction) or outcome.reason is not Reason.MODEL_RETIRED:
                break
        return outcome

    def _ask(self, talk: _Conversation, model: str) -> Prediction | Refused:
        """Ask one model, and once more where that may help and there is time."""
        for _ in range(ATTEMPTS_MAX):
            if self._left(talk) < ATTEMPT_MIN:
                return Refused(Reason.MODEL_TIMEOUT, "no time was left")
            outcome = self._attempt(talk, model)
            wait = self._wait(talk, outcome)
            if wait is None:
                return outcome
            self._pause(wait.total_seconds())
        return outcome

    def _wait(self, talk: _Conversation, outcome: Prediction | Refused) -> timedelta | None:
        """How long to wait before asking again, None when nothing is gained by it."""
        if isinstance(outcome, Prediction) or outcome.reason not in WORTH_A_RETRY:
            return None
        asked = sum(each.record["blocked_by"] != Reason.MODEL_RETIRED for each in talk.attempts)
        told = outcome.retry_after if isinstance(outcome, ModelFault) else timedelta(0)
        wait = RETRY_AFTER if told is None else told
        return None if asked >= ATTEMPTS_MAX or wait + ATTEMPT_MIN > self._left(talk) else wait

    def _left(self, talk: _Conversation) -> timedelta:
        return timedelta(milliseconds=self._settings.g_timeout_ms) - (self._clock.now() - talk.started)

    def _attempt(self, talk: _Conversation, model: str) -> Prediction | Refused:
        began = self._clock.now()
        response, reading, outcome = self._exchange(talk, model)
        cost = self._cost(talk, reading, outcome)
        refused = outcome if isinstance(outcome, Refused) else None
        record = {
            "model": model,
            "response": response,
            "blocked_by": None if refused is None else refused.reason.value,
            "detail": "" if refused is None else refused.detail,
            **cost.to_document(),
            "latency_ms": (self._clock.now() - began) // timedelta(milliseconds=1),
            **({} if reading is None else reading.to_document()),
        }
        talk.attempts.append(_Attempt(cost, record))
        return outcome

    def _exchange(self, talk: _Conversation, model: str) -> tuple[str | None, Reading | None, Prediction | Refused]:
        """The response, what it says about itself, and the verdict on it."""
        response, reading = None, None
        try:
            response = self._service.generate(model, talk.body, self._left(talk))
            reading = read_response(response)
            return response, reading, judge(reading, talk.question)
        except Refused as refusal:
            # One character more than is ever read: what was too long stays too long when it is replayed.
            kept = None if response is None else response[: RESPONSE_CHARACTERS_MAX + 1]
            return kept, reading, refusal

    def _cost(self, talk: _Conversation, reading: Reading | None, outcome: Prediction | Refused) -> Spend:
        if reading is not None and reading.tokens_in is not None and reading.tokens_out is not None:
            return spend(reading.tokens_in, reading.tokens_out, self._settings)
        if isinstance(outcome, ModelFault) and not outcome.charged:
            return NOTHING
        return self._dearest(talk.tokens_in, 1)

    def _audit(self, talk: _Conversation) -> dict[str, Any]:
        request = canonical_json(talk.body)
        total = sum((each.spent for each in talk.attempts), NOTHING)
        as_of, sentiment = talk.question.snapshot.as_of, talk.question.sentiment
        return {
            "predictor": self.name,
            "kind": "gemini",
            "service": self._service.version,
            "prompt_version": PROMPT_VERSION,
            "schema_version": SCHEMA_VERSION,
            "request": request,
            "request_hash": digest(talk.body),
            "tokens_estimated": talk.tokens_in,
            "sentiment": None if sentiment is None else sentiment.to_document(),
            "contaminated": as_of.date() <= self._settings.g_knowledge_until,
            "attempts": [each.record for each in talk.attempts],
            "tokens": total.tokens,
            "cost_micro_usd": total.micro_usd,
            "latency_ms": (self._clock.now() - talk.started) // timedelta(milliseconds=1),
        }


def _tokens_in(body: dict[str, Any]) -> int:
    texts = (body["systemInstruction"]["parts"][0]["text"], body["contents"][0]["parts"][0]["text"])
    schema = canonical_json(body["generationConfig"]["responseJsonSchema"])
    return sum(map(estimated_tokens, (*texts, schema))) + FRAMING_TOKENS
