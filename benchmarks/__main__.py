"""Run the benchmarks, all or those named: `python -m benchmarks [name ...]`. Exits with 1 when a target is missed."""

import importlib
import os
import sys
from typing import Final

REGISTERED: Final = ("cold_start", "features", "klines", "market", "month", "paper", "replay")
# A function has one vCPU. Numeric libraries read these when they are first imported, which is after this.
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(names: list[str]) -> int:
    """Run the named benchmarks and return the exit status: 0, 1 for a missed target, 2 for an unknown name."""
    unknown = sorted(set(names) - set(REGISTERED))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(REGISTERED)}", file=sys.stderr)
        return 2
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    missed = [miss for name in names or REGISTERED for miss in importlib.import_module(f"benchmarks.{name}").run()]
    for miss in missed:
        print(f"TARGET MISSED: {miss}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
