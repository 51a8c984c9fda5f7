"""What the store may forget: Terraform makes a time to live for exactly the collections whose documents name one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.builders.installation import Installation
from withearth.flow.documents import EXPIRE_AT, EXPIRING, SENTIMENT
from withearth.store.port import Query


def test_every_collection_that_expires_is_listed(tmp_path: Path) -> None:
    """After half an hour of everything but sentiment, whose own test sees its documents: no other has the field."""
    opened = Installation(tmp_path, PREDICTOR="baseline")
    opened.run(0.5)
    with closing(sqlite3.connect(tmp_path / "store.db")) as books:
        names = [name for (name,) in books.execute("SELECT DISTINCT collection FROM documents")]
    expiring = {name for name in names if any(EXPIRE_AT in each.data for each in opened.store.query(Query(name)))}

    assert expiring == EXPIRING - {SENTIMENT}
