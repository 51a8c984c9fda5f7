import json
from decimal import Decimal
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.paper_engine.paper_play import STEPS, Player, Step
from tests.unit.paper_engine.paper_stage import OTHER, START_MS, SYMBOL, instrument
from withearth.domain.times import from_ms
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.engine.account import Account
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import made_up_instrument
from withearth.paper.engine.kinds import IncomeType, OrderSide
from withearth.paper.engine.orders import Order
from withearth.paper.feed import Span
from withearth.paper.feed_market import MarketFeed
from withearth.paper.feed_series import ScriptedFeed

ZERO = Decimal(0)
SEQUENCES = st.lists(STEPS, min_size=5, max_size=40)
MOVES = st.lists(st.integers(-60, 60), min_size=4, max_size=12)
FAST = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
SLOW = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
DEPOSIT = Decimal(5_000)


def _total(account: Account, *kinds: IncomeType) -> Decimal:
    return sum((row.amount for row in account.income if row.type in kinds), ZERO)


def _check_money(exchange: PaperExchange, account: Account) -> None:
    """Wallet + unrealised = deposits + what trading at these prices made − commissions + funding + insurance."""
    deposits, others = _total(account, IncomeType.TRANSFER), _total(account, IncomeType.INSURANCE_CLEAR)
    funding, realized = _total(account, IncomeType.FUNDING_FEE), _total(account, IncomeType.REALIZED_PNL)
    commission = sum((fill.commission for fill in account.fills), ZERO)
    unrealized = sum((each.unrealized(exchange.mark_price(each.symbol)) for each in account.held()), ZERO)
    worth = sum((each.quantity * exchange.mark_price(each.symbol) for each in account.held()), ZERO)
    paid = sum((fill.side.sign * fill.quote for fill in account.fills), ZERO)

    assert sum(account.wallet.values(), ZERO) == sum((row.amount for row in account.income), ZERO)
    assert -commission == _total(account, IncomeType.COMMISSION)
    assert sum((fill.realized_pnl for fill in account.fills), ZERO) == realized
    assert account.wallet["USDT"] == deposits + realized - commission + funding + others
    assert account.wallet["USDT"] + unrealized == deposits + (worth - paid) - commission + funding + others


def _check_positions(account: Account) -> None:
    """Positions are the signed sum of their fills, and a flat one keeps nothing."""
    for (symbol, side), position in account.positions.items():
        fills = [fill for fill in account.fills if (fill.symbol, fill.position_side) == (symbol, side)]

        assert sum((fill.side.sign * fill.quantity for fill in fills), ZERO) == position.quantity
        assert position.cost == sum((fill.side.sign * fill.quote + fill.realized_pnl for fill in fills), ZERO)
        assert position.isolated_wallet >= 0
        if not position.quantity:
            assert (position.cost, position.fees, position.isolated_wallet) == (ZERO, ZERO, ZERO)


def _check_orders(exchange: PaperExchange, account: Account) -> None:
    """Every order is the sum of its fills, none trades beyond its limit, and only what has a rest is open."""
    for order in account.orders.values():
        fills = [fill for fill in account.fills if fill.order_id == order.order_id]

        assert sum((fill.quantity for fill in fills), ZERO) == order.executed <= order.quantity
        assert all(fill.quantity > 0 and _is_within_limit(order, fill.price) for fill in fills)
        assert order.is_open is (order.order_id in account.open_orders)
    assert all(order.remaining > 0 for order in exchange.open_orders(account))
    assert all(algo.is_open for algo in exchange.open_algo_orders(account))


def _is_within_limit(order: Order, price: Decimal) -> bool:
    if not order.price or order.liquidation or order.modified:
        return True
    return price <= order.price if order.side is OrderSide.BUY else price >= order.price


def _check(exchange: PaperExchange, account: Account) -> None:
    _check_money(exchange, account)
    _check_positions(account)
    _check_orders(exchange, account)


class _Script:
    """An exchange on a random path, two symbols moving against each other."""

    def __init__(self, moves: list[int]) -> None:
        instruments = {SYMBOL: instrument(), OTHER: instrument(symbol=OTHER, funding_interval_hours=4)}
        self.feed = ScriptedFeed(instruments, seed=3)
        self._moves = moves
        self._count = 0
        self._price = Decimal(50_000)
        self._set_prices(START_MS)
        for symbol in instruments:
            self.feed.set_funding(symbol, "0.00037")
        self.exchange = PaperExchange(instruments, self.feed, now_ms=START_MS, seed=3)
        account = self.exchange.open_account("key", {"USDT": DEPOSIT})
        self.player = Player(self.exchange, account, self._move)

    def _move(self, ms: int) -> None:
        now = self.exchange.now_ms
        for part in (1, 2, 3):
            self._price *= 1 + Decimal(self._moves[self._count % len(self._moves)]) / 1000
            self._count += 1
            # Never the present price, however short the time: the exchange has acted on that already.
            self._set_prices(now + max(1, ms * part // 3))
        self.exchange.advance(now + ms)

    def _set_prices(self, at_ms: int) -> None:
        for symbol, price in ((SYMBOL, self._price), (OTHER, Decimal(2_500_000_000) / self._price)):
            last = price.quantize(Decimal("0.1"))
            mark = (last * Decimal("1.0003")).quantize(Decimal("1e-8"))
            self.feed.set_price(symbol, at_ms, last, mark=mark, volume="0.7", depth="0.05")


@FAST
@given(SEQUENCES, MOVES)
def test_the_books_balance_after_any_sequence_of_requests(steps: list[Step], moves: list[int]) -> None:
    """To the last digit, after every single request, however senseless."""
    script = _Script(moves)
    for step in steps:
        script.player.play(step)
        _check(script.exchange, script.player.account)


@FAST
@given(SEQUENCES, SEQUENCES, MOVES)
def test_a_restored_exchange_has_the_same_future(before: list[Step], after: list[Step], moves: list[int]) -> None:
    """A snapshot is JSON, says everything, and goes on as the original does."""
    original, copy = _Script(moves), _Script(moves)
    for step in before:
        original.player.play(step)
        copy.player.play(step)
    document = json.dumps(original.exchange.snapshot())
    copy.exchange.restore(json.loads(document))
    copy.player.account = copy.exchange.account("key")

    assert document == json.dumps(copy.exchange.snapshot())
    for step in after:
        original.player.play(step)
        copy.player.play(step)
    assert original.exchange.snapshot() == copy.exchange.snapshot()


class _Patient(MarketFeed):
    """A feed that never lets time be skipped."""

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """As wide as can be wherever there is a tick at all."""
        found = super().span(symbol, after_ms, until_ms)
        return found and Span(ZERO, Decimal("1e9"))


@cache
def _market(seed: int) -> SyntheticMarket:
    return SyntheticMarket(seed, [SYMBOL, OTHER], start=from_ms(START_MS), spread_bps=Decimal(1))


def _played(feed_kind: type[MarketFeed], steps: list[Step], seed: int, *, pieces: int = 1) -> PaperExchange:
    market = _market(seed)
    instruments = {symbol: made_up_instrument(market.instrument(symbol)) for symbol in (SYMBOL, OTHER)}
    exchange = PaperExchange(instruments, feed_kind(market, instruments, seed=seed), now_ms=START_MS, seed=seed)

    def move(ms: int) -> None:
        start = exchange.now_ms
        for piece in range(1, pieces + 1):
            exchange.advance(start + ms * piece // pieces)

    player = Player(exchange, exchange.open_account("key", {"USDT": DEPOSIT}), move)
    for step in steps:
        player.play(step)
    _check(exchange, player.account)
    return exchange


@SLOW
@given(SEQUENCES, st.integers(0, 5))
def test_skipping_time_skips_nothing_else(steps: list[Step], seed: int) -> None:
    """Bars in which nothing can happen are skipped, and the books are those of walking every tick."""
    assert _played(_Patient, steps, seed).snapshot() == _played(MarketFeed, steps, seed).snapshot()


@SLOW
@given(SEQUENCES, st.integers(0, 5))
def test_time_passes_the_same_in_one_stride_or_many(steps: list[Step], seed: int) -> None:
    """How often a client looks does not change what happens."""
    assert _played(MarketFeed, steps, seed).snapshot() == _played(MarketFeed, steps, seed, pieces=7).snapshot()
