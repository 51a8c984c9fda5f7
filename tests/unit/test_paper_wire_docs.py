from withearth.paper import wire_docs
from withearth.paper.faults import FaultKind
from withearth.paper.wire.endpoints import ENDPOINTS, TABLE


def test_every_endpoint_is_one_row() -> None:
    """None twice, each with its weight."""
    rows = wire_docs.endpoints_table().splitlines()[2:]

    assert len(ENDPOINTS) == len(TABLE) == len(rows)
    assert any("`GET /fapi/v1/depth`" in row and "≤50: 2; ≤100: 5; ≤500: 10; ≤1000: 20" in row for row in rows)


def test_every_fault_is_one_row() -> None:
    """With the sentence that says what happens."""
    table = wire_docs.faults_table()

    assert all(f"| `{kind.value}` | {kind.sentence} |" in table for kind in FaultKind)
