"""Codes by which the exchange says that it does not know such an order, or not at this address. Pure.

In December 2025 Binance moved conditional orders to other endpoints overnight, and stops that nobody had tried vanished
(-4120). Where one of these is met no stop can be relied upon, so nothing may be entered.
"""

from typing import Final

NO_SUCH_ORDER_TYPE: Final = frozenset({-1014, -1020, -1116, -4120})
