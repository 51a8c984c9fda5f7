import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from withearth.domain.errors import Misconfigured
from withearth.local.logs import configure_logging
from withearth.settings import load_settings

SECRET = "never-to-be-logged"  # noqa: S105 - the point of the test


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], root.level = handlers, level


def test_no_secret_reaches_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret in a message, an argument or a traceback is starred in the file and on the terminal."""
    configure_logging(load_settings({"LOG_DIR": str(tmp_path), "BINANCE_API_SECRET": SECRET}, env_file=None))
    try:
        raise RuntimeError(f"signed with {SECRET}")
    except RuntimeError:
        logging.getLogger("withearth").exception("failed with %s", SECRET)

    written = (tmp_path / "withearth.log").read_text(encoding="utf-8") + capsys.readouterr().err
    assert SECRET not in written
    assert written.count("signed with ***") == 2


def test_a_log_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    """LOG_DIR below a file is one sentence with the key, the value and the remedy."""
    (tmp_path / "file").touch()

    with pytest.raises(Misconfigured, match=r"LOG_DIR .*file/logs cannot be written \(.*\): choose another\."):
        configure_logging(load_settings({"LOG_DIR": str(tmp_path / "file" / "logs")}, env_file=None))
