"""Calibration maps in the books: the newest one of each predictor."""

from withearth.decision.calibration import CalibrationMap
from withearth.flow.documents import calibration_ref
from withearth.store.port import DocumentStore, Replace


def newest_map(store: DocumentStore, predictor: str) -> CalibrationMap | None:
    """The predictor's newest map, None when none was ever fitted."""
    stored = store.get(calibration_ref(predictor))
    return None if stored is None else CalibrationMap.from_document(stored.data)


def keep_map(store: DocumentStore, fitted: CalibrationMap) -> None:
    """Make this the predictor's newest map."""
    store.commit([Replace(calibration_ref(fitted.predictor), fitted.to_document())])
