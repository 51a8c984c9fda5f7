"""The paper exchange as its wire face sees it.

Promises: the same instruments, feed, seed and calls give the same books, ids and answers. Nothing reads a clock: time
is what `advance` was last told. A refused call raises VenueError with the exchange's code and has changed nothing.

Not thread-safe: the caller lets one call in at a time, and calls `advance(now)` before it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from withearth.paper.engine import conditional, history, modifying, placing, reporting, settings, snapshots, walking
from withearth.paper.engine.account import Account
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.engine.kinds import IncomeType, MarginType, PositionSide
from withearth.paper.engine.ledger import Fill, Income
from withearth.paper.engine.orders import AlgoOrder, Amendment, ModifyOrder, Order, PlaceAlgo, PlaceOrder
from withearth.paper.engine.venue import Switches, Venue
from withearth.paper.engine.views import Balance, PositionView
from withearth.paper.feed import FundingTerms, PriceFeed, PriceLevel, Tick


class PaperExchange:
    """A futures exchange over a price feed. `seed` shapes the client ids it makes up."""

    def __init__(
        self,
        instruments: Mapping[str, PaperInstrument],
        feed: PriceFeed,
        *,
        now_ms: int,
        seed: int = 0,
        switches: Switches | None = None,
    ) -> None:
        self._venue = Venue(dict(instruments), feed, now_ms, seed, switches or Switches())

    # Time and prices

    @property
    def now_ms(self) -> int:
        """The time of the exchange."""
        return self._venue.now_ms

    def advance(self, to_ms: int) -> None:
        """Let time pass: triggers, fills, funding, liquidations, expiries in their order. A past time does nothing."""
        walking.advance(self._venue, to_ms)

    @property
    def instruments(self) -> Mapping[str, PaperInstrument]:
        """Every listed symbol."""
        return self._venue.instruments

    @property
    def feed(self) -> PriceFeed:
        """Where prices come from."""
        return self._venue.feed

    def instrument(self, symbol: str) -> PaperInstrument:
        """One symbol. Raises VenueError -1121."""
        return self._venue.instrument(symbol)

    def tick(self, symbol: str) -> Tick:
        """Last, mark, index, best bid and best ask of the outside market now. Raises VenueError -1121."""
        self._venue.instrument(symbol)
        return self._venue.tick(symbol)

    def last_price(self, symbol: str) -> Decimal:
        """The price traded last."""
        return self.tick(symbol).last

    def mark_price(self, symbol: str) -> Decimal:
        """The price margins and funding are computed with."""
        return self.tick(symbol).mark

    def book(self, symbol: str, limit: int = 500) -> tuple[list[PriceLevel], list[PriceLevel]]:
        """Bids and asks, best first, with the open orders of all accounts and without what this tick lost to takers."""
        return reporting.book(self._venue, symbol, limit)

    def funding(self, symbol: str) -> FundingTerms:
        """The announced funding. Raises VenueError -1121."""
        self._venue.instrument(symbol)
        return self._venue.feed.funding(symbol, self._venue.now_ms)

    # Accounts

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Every account by its API key."""
        return self._venue.accounts

    def open_account(self, key: str, deposits: Mapping[str, Decimal]) -> Account:
        """Start an account with a wallet. Raises ValueError when the key has one."""
        return settings.open_account(self._venue, key, deposits)

    def account(self, key: str) -> Account:
        """The account of an API key. Raises VenueError -2015."""
        account = self._venue.accounts.get(key)
        if account is None:
            raise VenueError(Refusal.REJECTED_KEY)
        return account

    def transfer(self, account: Account, asset: str, amount: Decimal) -> Income:
        """Pay in, or out with a negative amount. Raises VenueError -4055 or -4050."""
        return settings.transfer(self._venue, account, asset, amount)

    def balances(self, account: Account) -> list[Balance]:
        """Every asset the account ever held."""
        return reporting.balances(self._venue, account)

    def positions(self, account: Account, symbol: str | None = None) -> list[PositionView]:
        """Every symbol and side, flat ones too: BOTH in one-way mode; BOTH, LONG and SHORT in hedge mode."""
        return reporting.positions(self._venue, account, symbol)

    def positions_in_use(self, account: Account, symbol: str | None = None) -> list[PositionView]:
        """Those with a position or an open ordinary order, as v3 shows them."""
        return reporting.positions_in_use(self._venue, account, symbol)

    # Ordinary orders

    def place(self, account: Account, request: PlaceOrder) -> Order:
        """Place an ordinary order; what it trades at once has traded when this returns."""
        return placing.place(self._venue, account, request)

    def test(self, account: Account, request: PlaceOrder) -> None:
        """Check an order as `place` does, without placing it."""
        placing.check(self._venue, account, request)

    def modify(self, account: Account, request: ModifyOrder) -> Order:
        """Change price and quantity of an open LIMIT order."""
        return modifying.modify(self._venue, account, request)

    def cancel(
        self, account: Account, symbol: str, order_id: int | None = None, client_order_id: str | None = None
    ) -> Order:
        """Cancel one open order. Raises VenueError -1102 without an id, -2011 when it is not open."""
        return modifying.cancel(self._venue, account, symbol, order_id, client_order_id)

    def cancel_all(self, account: Account, symbol: str) -> list[Order]:
        """Cancel the open ordinary orders of a symbol. Conditional orders stay."""
        return modifying.cancel_all(self._venue, account, symbol)

    def countdown_cancel(self, account: Account, symbol: str, countdown_ms: int) -> None:
        """Cancel the symbol's ordinary orders `countdown_ms` from now, unless called again before; 0 calls it off."""
        modifying.countdown_cancel(self._venue, account, symbol, countdown_ms)

    def query(
        self, account: Account, symbol: str, order_id: int | None = None, client_order_id: str | None = None
    ) -> Order:
        """One order, open or not. Raises VenueError -2013."""
        return history.query(self._venue, account, symbol, order_id, client_order_id)

    def query_open(
        self, account: Account, symbol: str, order_id: int | None = None, client_order_id: str | None = None
    ) -> Order:
        """One open order. Raises VenueError -2013, also once it is filled or cancelled."""
        order = self.query(account, symbol, order_id, client_order_id)
        if not order.is_open:
            raise VenueError(Refusal.NO_SUCH_ORDER)
        return order

    def open_orders(self, account: Account, symbol: str | None = None) -> list[Order]:
        """Open ordinary orders, oldest first."""
        return history.open_orders(self._venue, account, symbol)

    def all_orders(
        self,
        account: Account,
        symbol: str | None = None,
        *,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Order]:
        """Orders of at most seven days, oldest first; the limit keeps the newest, or the first from `order_id` on."""
        window = history.Window(start_ms, end_ms, limit)
        return history.all_orders(self._venue, account, symbol, order_id, window)

    def amendments(self, account: Account, symbol: str, order: Order | None = None) -> list[Amendment]:
        """Changes made by `modify`, newest first."""
        found = [each for each in account.amendments if each.symbol == symbol]
        return [each for each in reversed(found) if order is None or each.order_id == order.order_id]

    # Conditional orders

    def place_algo(self, account: Account, request: PlaceAlgo) -> AlgoOrder:
        """Place a conditional order."""
        return conditional.place(self._venue, account, request)

    def cancel_algo(self, account: Account, algo_id: int | None = None, client_algo_id: str | None = None) -> AlgoOrder:
        """Cancel one that waits for its trigger. Raises VenueError -2011."""
        return conditional.cancel(self._venue, account, algo_id, client_algo_id)

    def cancel_all_algo(self, account: Account, symbol: str) -> list[AlgoOrder]:
        """Cancel the waiting conditional orders of a symbol."""
        return conditional.cancel_all(self._venue, account, symbol)

    def query_algo(self, account: Account, algo_id: int | None = None, client_algo_id: str | None = None) -> AlgoOrder:
        """One conditional order in any state. Raises VenueError -2013."""
        return history.query_algo(account, algo_id, client_algo_id)

    def open_algo_orders(self, account: Account, symbol: str | None = None) -> list[AlgoOrder]:
        """Those that wait for their trigger, oldest first."""
        return history.open_algos(self._venue, account, symbol)

    def all_algo_orders(
        self,
        account: Account,
        symbol: str,
        *,
        algo_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AlgoOrder]:
        """Conditional orders in any state of at most seven days, newest first as the exchange lists them."""
        window = history.Window(start_ms, end_ms, limit)
        return history.all_algos(self._venue, account, symbol, algo_id, window)

    # Settings

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> Decimal:
        """Set the leverage and say what notional it allows."""
        return settings.set_leverage(self._venue, account, symbol, leverage)

    def set_margin_type(self, account: Account, symbol: str, margin_type: MarginType) -> None:
        """Cross or isolated. Raises VenueError -4046, -4047, -4048 or -4168."""
        settings.set_margin_type(self._venue, account, symbol, margin_type)

    def set_position_mode(self, account: Account, *, dual_side: bool) -> None:
        """Hedge mode or one-way mode. Raises VenueError -4059, -4067 or -4068."""
        settings.set_position_mode(self._venue, account, dual_side=dual_side)

    def set_multi_assets(self, account: Account, *, multi_assets: bool) -> None:
        """Raises VenueError -4171, -4167 or -4170."""
        settings.set_multi_assets(self._venue, account, multi_assets=multi_assets)

    def modify_isolated_margin(
        self, account: Account, symbol: str, amount: Decimal, *, add: bool, side: PositionSide | None = None
    ) -> None:
        """Move margin between the cross wallet and an isolated position."""
        settings.modify_isolated_margin(self._venue, account, symbol, amount, add=add, side=side)

    # History

    def user_trades(
        self,
        account: Account,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> Sequence[Fill]:
        """Fills of at most seven days, oldest first; the limit keeps the oldest, or the newest without any window."""
        window = history.Window(start_ms, end_ms, limit)
        return history.user_trades(self._venue, account, symbol, order_id, from_id, window)

    def income(
        self,
        account: Account,
        symbol: str | None = None,
        income_type: IncomeType | None = None,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> Sequence[Income]:
        """Changes of the wallet, oldest first; the limit keeps the oldest, or the newest without any window."""
        window = history.Window(start_ms, end_ms, limit)
        return history.income(self._venue, account, symbol, income_type, window)

    # State

    def snapshot(self) -> dict[str, Any]:
        """The whole state but the feed's, exact, as JSON values."""
        return snapshots.snapshot(self._venue)

    def restore(self, document: Mapping[str, Any]) -> None:
        """Become what `snapshot` saw. The feed, the instruments and the switches are the caller's to give again."""
        snapshots.restore(self._venue, document)
