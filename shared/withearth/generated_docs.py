"""What is written from the code: blocks in the docs, .env.example, the dashboard's types, and what Terraform reads.

A block stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in any page. `python -m withearth.generated_docs`
writes all of them below the current directory, and with `--check` only tells which files are out of date.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from withearth import deployment
from withearth.cost import page as cost
from withearth.decision.schema import schema_table
from withearth.domain.reasons import Reason
from withearth.execution import phases
from withearth.paper import wire_docs
from withearth.requirements_docs import requirements_table
from withearth.settings.markdown import example, settings_table
from withearth.views.typescript import model_ts

FILES: Final[Mapping[Path, Callable[[], str]]] = {
    Path(".env.example"): example,
    Path("dashboard/src/data/model.ts"): model_ts,
    deployment.FILE: deployment.generated,
}
"""Files that are generated whole."""


def reasons_table() -> str:
    """Return every reason with its sentence, as Markdown."""
    rows = (f"| `{reason.value}` | {reason.sentence} |" for reason in Reason)
    return "\n".join(["| Code | Meaning |", "|---|---|", *rows])


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings_table,
    "reasons": reasons_table,
    "schema": schema_table,
    "phases": phases.diagram,
    "endpoints": wire_docs.endpoints_table,
    "faults": wire_docs.faults_table,
    "costs": cost.cost_table,
    "usage": cost.measured_table,
    "assumed": cost.assumed_table,
    "prices": cost.prices_table,
}


def markers(name: str) -> tuple[str, str]:
    """Return the lines between which a block stands."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def replace_block(text: str, name: str, block: str) -> str:
    """Put the block between its markers; a text without them stays as it is."""
    begin, end = markers(name)
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    return f"{before}{begin}\n{block}\n{end}{after}" if found_begin and found_end else text


def stale(root: Path) -> dict[Path, str]:
    """Return the files below this directory that differ from the code, each with the text it should have."""
    blocks = {name: make() for name, make in BLOCKS.items()}
    blocks["requirements"] = requirements_table(root / "tests")
    wanted = {path: make() for path, make in FILES.items()}
    for page in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        text = _read(page)
        for name, block in blocks.items():
            text = replace_block(text, name, block)
        wanted[page.relative_to(root)] = text
    return {path: text for path, text in wanted.items() if text != _read(root / path)}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m withearth.generated_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file is out of date")
    check = parser.parse_args(arguments).check
    outdated = stale(Path.cwd())
    for path, text in outdated.items():
        sys.stdout.write(f"{path} is out of date\n" if check else f"{path} written\n")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
