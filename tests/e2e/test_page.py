"""How a local run serves the dashboard: the built app under its address, or one sentence that says what is missing."""

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.builders.installation import Installation
from withearth.local import server
from withearth.local.server import serving


def answer(address: str, path: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one request; a redirection is not followed."""
    line = HTTPConnection(urlsplit(address).netloc, timeout=10)
    line.request("GET", path)
    response = line.getresponse()
    text = response.read().decode()
    line.close()
    return response.status, dict(response.headers), text


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built page of one script, where the server looks for it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<script type=module src=./assets/app.js></script>")
    (folder / "assets" / "app.js").write_text("export {};")
    monkeypatch.setattr(server, "BUILT_PAGE", folder)
    return folder


@pytest.mark.usefixtures("built")
def test_the_page_and_its_files_are_served_under_a_policy_without_inline_scripts(tmp_path: Path) -> None:
    """What the page brings comes from its own host, and nothing written into it would run."""
    with serving(Installation(tmp_path / "state").runtime, 0) as address:
        page, script = answer(address, "/dashboard/"), answer(address, "/dashboard/assets/app.js")

    assert page[0] == script[0] == 200
    assert "./assets/app.js" in page[2]
    assert script[1]["Content-Type"].startswith("text/javascript")
    assert "default-src 'self'" in page[1]["Content-Security-Policy"]
    assert "unsafe" not in page[1]["Content-Security-Policy"]


@pytest.mark.usefixtures("built")
def test_the_address_gets_its_slash_and_keeps_its_question(tmp_path: Path) -> None:
    """The files are addressed from the page's own folder, so `/dashboard?demo` moves to `/dashboard/?demo`."""
    with serving(Installation(tmp_path / "state").runtime, 0) as address:
        status, headers, _ = answer(address, "/dashboard?demo")

    assert status == 308
    assert urlsplit(headers["Location"])[2:4] == ("/dashboard/", "demo")


def test_a_page_that_is_not_built_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Node there is no page, and the API works all the same."""
    monkeypatch.setattr(server, "BUILT_PAGE", tmp_path / "nothing")
    with serving(Installation(tmp_path / "state").runtime, 0) as address:
        page, health = answer(address, "/dashboard"), answer(address, "/health")

    assert page[0] == 503
    assert page[2] == "The dashboard is not built: install Node.js 20.19 or newer and run `make dashboard/dist`."
    assert health[0] == 200
