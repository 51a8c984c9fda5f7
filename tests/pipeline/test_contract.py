"""What a real run leaves in the books is what the dashboard's types say."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.builders.installation import Installation
from withearth.domain.canonical import canonical_json
from withearth.flow.documents import view_ref
from withearth.flow.story import story
from withearth.store.port import Query
from withearth.views import contract, records

BY_COLLECTION: Mapping[str, Any] = {
    "decisions": records.Decision,
    "intents": records.Intent,
    "trades": records.Trade,
    "labels": records.Label,
    "events": records.EventRow,
    "feed": records.Feed,
    "charts": records.Chart,
}

VIEWS: Mapping[str, Any] = {
    "overview": contract.OverviewView,
    "money": contract.MoneyView,
    "positions": contract.PositionsView,
    "heatmap": contract.HeatMapView,
    "limits": contract.LimitsView,
    "calibration": contract.CalibrationView,
}


@pytest.fixture(scope="module", params=["false", "true"], ids=["shadow", "paper"])
def installation(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Installation:
    """An installation with two and a half hours of history: shadow trades, and trades on the paper exchange."""
    made = Installation(tmp_path_factory.mktemp("contract"), EXECUTE_TRADES=request.param, CHART_SYMBOLS="2")
    made.run(2.5)
    return made


def check(kind: Any, document: Mapping[str, Any]) -> None:
    """Raise ValidationError unless the document's JSON is of this type."""
    TypeAdapter(kind).validate_json(canonical_json(document), strict=True)


@pytest.mark.parametrize("collection", BY_COLLECTION)
def test_the_books_are_what_the_contract_says(installation: Installation, collection: str) -> None:
    """Every document of every collection that the page reads."""
    found = installation.store.query(Query(collection))

    assert found
    for each in found:
        check(BY_COLLECTION[collection], each.data)


@pytest.mark.parametrize("name", VIEWS)
def test_the_views_are_what_the_contract_says(installation: Installation, name: str) -> None:
    """Every view is there after a few hours, and of its type."""
    found = installation.store.get(view_ref(name))

    assert found is not None
    check(VIEWS[name], found.data)


def test_a_story_is_what_the_contract_says(installation: Installation) -> None:
    """From a trade back to its decision."""
    for trade in installation.store.query(Query("trades")):
        check(records.Story, story(installation.store, trade.ref.id))
