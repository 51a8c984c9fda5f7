"""withEarth: a serverless trader for Binance USDⓈ-M perpetual futures."""

from typing import Final

__version__: Final = "0.1.0"
