"""The comparer of shapes: what counts as different and what does not."""

from typing import Any

import pytest

from tests.contract.paper.shapes import Strictness, differences


@pytest.mark.parametrize(
    ("recorded", "answered"),
    [
        ({}, {}),
        ({"a": 1, "b": "x"}, {"a": 2, "b": "y"}),
        ([{"a": 1}], [{"a": 1}, {"a": 2}]),
        ([{"a": 1}, {"b": 1}], [{"b": 2}]),
        ([[1, "2.0"]], [[3, "4.00"], [5, "6.1"]]),
        ({"price": "0.000000"}, {"price": "0.00"}),
        ({"price": "1.183700"}, {"price": "50000.10"}),
        ({"stop": "0"}, {"stop": "9300"}),
        ({"qty": "4.9"}, {"qty": "5"}),
        ({"fee": "0.00000431"}, {"fee": "-1.00000000"}),
        ({"id": "abc"}, {"id": "1"}),
        ({"tradeId": ""}, {"tradeId": "77"}),
        ({"rows": []}, {"rows": [{"anything": None}]}),
        ({"none": None}, {"none": None}),
    ],
)
def test_equal_shapes_have_no_differences(recorded: Any, answered: Any) -> None:
    """Values may differ in whatever a client's parser does not see."""
    assert differences(recorded, answered) == []


@pytest.mark.parametrize(
    ("recorded", "answered", "path"),
    [
        ({"a": 1}, {}, "$.a"),
        ({}, {"a": 1}, "$.a"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "$"),
        ({"a": 1}, {"a": "1"}, "$.a"),
        ({"a": 1}, {"a": 1.0}, "$.a"),
        ({"a": 1}, {"a": True}, "$.a"),
        ({"a": None}, {"a": ""}, "$.a"),
        ([{"a": 1}], {"a": 1}, "$"),
        ([{"a": 1}], [], "$[]"),
        ([{"a": {"b": 1}}], [{"a": {"b": "x"}}], "$[].a.b"),
        ([[1, "2"]], [[1]], "$[]"),
        ([[1, "2"]], [[1, 2]], "$[][1]"),
        ({"price": "1.0"}, {"price": "1e-05"}, "$.price"),
        ({"price": "1.0"}, {"price": "NaN"}, "$.price"),
        ({"price": "1.0"}, {"price": ""}, "$.price"),
        ({"price": "0"}, {"price": "0.000"}, "$.price"),
        ({"price": "0.000000"}, {"price": "0"}, "$.price"),
        ({"price": "1.183700"}, {"price": "5"}, "$.price"),
        ({"fee": "0.00000431"}, {"fee": "0.000"}, "$.fee"),
        ({"status": "NEW"}, {"status": ""}, "$.status"),
    ],
)
def test_a_difference_is_found_at_its_path(recorded: Any, answered: Any, path: str) -> None:
    """Keys, order, types, rows and the way a decimal is written."""
    found = differences(recorded, answered)

    assert [path] == [each.split(": ")[0] for each in found]


def test_documentation_prescribes_neither_order_nor_scale() -> None:
    """Its examples list keys as somebody wrote them down, with old prices of eight places."""
    assert differences({"bid": "4.00000000"}, {"bid": "50000.1"}, Strictness.DOCUMENTED) == []
    assert differences({"a": 1, "b": 2}, {"b": 1, "a": 2}, Strictness.DOCUMENTED) == []


def test_an_instrument_of_the_same_precision_is_padded_to_the_same_places() -> None:
    """Six recorded places are six answered ones, when the symbol has as many."""
    assert differences({"price": "1.183700"}, {"price": "1.184000"}, Strictness.SAME_PRECISION) == []
    assert differences({"price": "1.183700"}, {"price": "1.1840"}, Strictness.SAME_PRECISION) != []
    assert differences({"price": "0.0"}, {"price": "0.00"}, Strictness.SAME_PRECISION) != []


def test_an_element_is_like_any_of_the_recorded_ones() -> None:
    """A list that mixes orders and errors is answered by either."""
    recorded = [{"orderId": 1}, {"code": -2011, "msg": "Unknown order sent."}]

    assert differences(recorded, [{"code": -2022, "msg": "ReduceOnly Order is rejected."}]) == []
    assert differences(recorded, [{"code": "-2022", "msg": "ReduceOnly Order is rejected."}]) != []


def test_an_allowed_difference_does_not_count() -> None:
    """Its path is named with a reason."""
    assert differences({"a": 1}, {"a": 1, "rateType": "Regular"}, allowed={"$.rateType": "added later"}) == []


def test_an_allowance_that_is_not_needed_is_reported() -> None:
    """The list of exceptions shrinks when the wire gets closer."""
    assert differences({"a": 1}, {"a": 1}, allowed={"$.b": "was missing"}) == ["$.b: allowed to differ, and does not"]
