"""Speed in seconds of this process, which depend less than others on what else the machine does."""

from decimal import Decimal
from time import process_time

from tests.unit.paper_engine.paper_stage import DAY_MS, START_MS, SYMBOL, staged
from withearth.domain.times import from_ms
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.engine.exchange import PaperExchange
from withearth.paper.engine.instruments import made_up_instrument
from withearth.paper.engine.kinds import AlgoType, OrderSide, OrderType, WorkingType
from withearth.paper.engine.orders import PlaceAlgo, PlaceOrder
from withearth.paper.feed_market import MarketFeed

PAIRS = 400
ROUNDS = 5


def test_five_thousand_orders_a_second() -> None:
    """Placing and cancelling stays cheap: the quickest of some rounds, for a busy machine's processor is slower."""
    stage, took = staged(), list[float]()
    for _ in range(ROUNDS):
        started = process_time()
        for _ in range(PAIRS):
            stage.exchange.cancel(stage.account, SYMBOL, stage.limit("BUY", "0.01", "49000").order_id)
        took.append(process_time() - started)

    assert PAIRS / min(took) > 5_000


def test_a_year_with_an_open_bracket_passes_in_seconds() -> None:
    """Bars in which nothing can happen cost next to nothing; funding is settled a thousand times on the way."""
    market = SyntheticMarket(1, [SYMBOL], start=from_ms(START_MS), spread_bps=Decimal(1))
    instruments = {SYMBOL: made_up_instrument(market.instrument(SYMBOL))}
    exchange = PaperExchange(instruments, MarketFeed(market, instruments), now_ms=START_MS)
    account = exchange.open_account("key", {"USDT": Decimal(1_000_000)})
    quantity, last = Decimal("0.1"), exchange.last_price(SYMBOL)
    exchange.place(account, PlaceOrder(symbol=SYMBOL, side=OrderSide.BUY, type=OrderType.MARKET, quantity=quantity))
    for kind, factor in ((AlgoType.STOP_MARKET, "0.06"), (AlgoType.TAKE_PROFIT_MARKET, "4.9")):
        trigger = (last * Decimal(factor)).quantize(Decimal("0.1"))
        request = PlaceAlgo(
            symbol=SYMBOL,
            side=OrderSide.SELL,
            type=kind,
            quantity=quantity,
            trigger_price=trigger,
            reduce_only=True,
            working_type=WorkingType.MARK_PRICE,
        )
        exchange.place_algo(account, request)
    started = process_time()
    exchange.advance(START_MS + 365 * DAY_MS)

    assert process_time() - started < 15
    assert len(account.income) > 1_000
    assert 2 == len(exchange.open_algo_orders(account))
