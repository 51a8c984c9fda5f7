"""Where the recorded market data lie on this machine, if they do."""

import os
from pathlib import Path


def market_dir() -> Path | None:
    """`$WITHEARTH_DATA/market`, else `../shared/data/market` beside the repository, else None."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    directory = Path(os.environ.get("WITHEARTH_DATA", beside)) / "market"
    return directory if (directory / "MANIFEST.json").is_file() else None
