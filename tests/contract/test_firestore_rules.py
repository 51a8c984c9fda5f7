"""The security rules on Google's own emulator: every operation, by the owner and by everybody else.

Requests go over Firestore's REST interface with tokens as Firebase Authentication makes them; the emulator does not
check signatures, so what stays unproven is that Google issues these claims to the right person, and that the deployed
rules are these (terraform puts them there).
"""

import base64
import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from withearth.views.contract import ControlRequest

RULES: Final = Path(__file__).resolve().parents[2] / "dashboard" / "firestore.rules"
NOBODY_S_ADDRESS: Final = "owner@example.invalid"
OWNER: Final = "Owner@Example.com"
READ: Final = ("views", "feed", "charts", "decisions", "intents", "trades", "labels", "events")
CLOSED: Final = ("risk", "positions", "ticks", "budgets", "prepared", "calibrations", "sentiment", "exchanges", "other")
CONTROL: Final = ("trading", "flatten", "model", "live", "stop-needs-position", "universe", "other")

Claims = dict[str, Any]
BY_GOOGLE: Final[Claims] = {"firebase": {"sign_in_provider": "google.com"}}
AS_OWNER: Final[Claims] = {"sub": "1", "email": OWNER, "email_verified": True, **BY_GOOGLE}
STRANGERS: Final[Mapping[str, Claims | None]] = {
    "nobody": None,
    "another person": AS_OWNER | {"sub": "2", "email": "someone@example.com"},
    "a longer address": AS_OWNER | {"email": f"{OWNER}.evil.example"},
    "an unverified address": AS_OWNER | {"email_verified": False},
    "an address that claims nothing": {"sub": "1", "email": OWNER, **BY_GOOGLE},
    "another provider": AS_OWNER | {"firebase": {"sign_in_provider": "password"}},
    "an anonymous account": {"sub": "3", "firebase": {"sign_in_provider": "anonymous"}},
    "the address in the file": AS_OWNER | {"email": NOBODY_S_ADDRESS},
}
REQUEST: Final[dict[str, Any]] = {
    "id": "7d1c2a7e-0000-4000-8000-000000000001",
    "action": "halt",
    "word": None,
    "why": "the news",
    "who": OWNER,
}


class Database:
    """A database with the rules of this project, in which every collection holds one document."""

    def __init__(self, address: str, project: str) -> None:
        self._address = address
        self._root = f"projects/{project}/databases/(default)/documents"
        rules = RULES.read_text(encoding="utf-8").replace(NOBODY_S_ADDRESS, OWNER.lower())
        content = {"rules": {"files": [{"name": "firestore.rules", "content": rules}]}}
        self.loaded = self._call("PUT", f"/emulator/v1/projects/{project}:securityRules", content, "owner")
        for collection in (*READ, *CLOSED):
            self.commit("owner", self.write(f"{collection}/one", {"at": "then"}))
        for name in CONTROL:
            self.commit("owner", self.write(f"control/{name}", {"state": "ACTIVE"}))

    def _call(self, method: str, path: str, body: Any, bearer: str | None) -> int:
        with closing(http.client.HTTPConnection(self._address, timeout=30)) as line:
            headers = {"Content-Type": "application/json"}
            headers |= {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            answer.read()
        return answer.status

    def write(self, path: str, fields: Mapping[str, Any], *, at_request_time: str | None = None) -> dict[str, Any]:
        """A write that sets a whole document, with one field set to the server's time."""
        set_ = {"update": {"name": f"{self._root}/{path}", "fields": {n: _value(v) for n, v in fields.items()}}}
        stamped = {"fieldPath": at_request_time, "setToServerValue": "REQUEST_TIME"}
        return set_ if at_request_time is None else set_ | {"updateTransforms": [stamped]}

    def delete(self, path: str) -> dict[str, Any]:
        """A write that deletes a document."""
        return {"delete": f"{self._root}/{path}"}

    def commit(self, who: str | None, *writes: dict[str, Any]) -> bool:
        """Whether the writes were allowed."""
        return _allowed(self._call("POST", f"/v1/{self._root}:commit", {"writes": writes}, who))

    def get(self, who: str | None, path: str) -> bool:
        """Whether the document could be read."""
        return _allowed(self._call("GET", f"/v1/{self._root}/{path}", None, who))

    def list(self, who: str | None, collection: str) -> bool:
        """Whether the collection could be queried."""
        query = {"structuredQuery": {"from": [{"collectionId": collection}], "limit": 1}}
        return _allowed(self._call("POST", f"/v1/{self._root}:runQuery", query, who))


def _allowed(status: int) -> bool:
    """What the rules said. Any other answer than yes and no is a fault of the test."""
    assert status in {200, 403}, status
    return status == 200


def _value(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"nullValue": None}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"integerValue": str(value)}
        case _ if isinstance(value, str) and value.startswith("2026-"):
            return {"timestampValue": value}
    return {"stringValue": value}


def token(claims: Claims | None) -> str | None:
    """A bearer token as Firebase Authentication makes it, without a signature."""
    if claims is None:
        return None
    parts = [{"alg": "none", "typ": "JWT"}, {"iat": 0, "exp": 2**31, "aud": "demo", "iss": "demo", **claims}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return f"{'.'.join(texts)}."


ME: Final = token(AS_OWNER)


@pytest.fixture(scope="module")
def database(firestore_emulator: str) -> Database:
    """One for all tests: none of them leaves anything behind that another would see."""
    return Database(firestore_emulator, "demo-rules")


def ask(database: Database, bearer: str | None, path: str = "control/request", /, **changes: Any) -> bool:
    """Whether a control request was allowed. A change to `...` leaves the field out."""
    fields = {name: value for name, value in (REQUEST | changes).items() if value is not ...}
    return database.commit(bearer, database.write(path, fields, at_request_time=None if "at" in changes else "at"))


def test_the_rules_are_loaded(database: Database) -> None:
    """The emulator understands them."""
    assert database.loaded == 200


@pytest.mark.parametrize("collection", READ)
def test_the_owner_reads_what_the_page_shows(database: Database, collection: str) -> None:
    """One document and many."""
    assert database.get(ME, f"{collection}/one")
    assert database.list(ME, collection)


@pytest.mark.parametrize("collection", [*READ, *CLOSED])
def test_the_owner_writes_none_of_it(database: Database, collection: str) -> None:
    """Neither create, nor change, nor delete; nor hidden in a commit with an allowed request."""
    allowed = database.write("control/request", REQUEST, at_request_time="at")

    assert not database.commit(ME, database.write(f"{collection}/two", {"at": "now"}))
    assert not database.commit(ME, database.write(f"{collection}/one", {"at": "now"}))
    assert not database.commit(ME, database.delete(f"{collection}/one"))
    assert not database.commit(ME, allowed, database.write(f"{collection}/one", {"at": "now"}))


@pytest.mark.parametrize("collection", CLOSED)
def test_the_owner_does_not_read_what_the_page_does_not_show(database: Database, collection: str) -> None:
    """Books and accounts stay where they are."""
    assert not database.get(ME, f"{collection}/one")
    assert not database.list(ME, collection)


@pytest.mark.parametrize("name", CONTROL)
def test_the_state_itself_is_out_of_reach(database: Database, name: str) -> None:
    """The page asks; the reconciler decides. Not even the shape of a request may stand elsewhere."""
    assert not database.get(ME, f"control/{name}")
    assert not ask(database, ME, f"control/{name}")
    assert not database.commit(ME, database.write(f"control/{name}", {"state": "ACTIVE"}))
    assert not database.commit(ME, database.delete(f"control/{name}"))


def test_control_cannot_be_listed(database: Database) -> None:
    """Only the request itself can be read."""
    assert not database.list(ME, "control")


@pytest.mark.parametrize("stranger", STRANGERS)
def test_everybody_else_is_refused_everything(database: Database, stranger: str) -> None:
    """Reading, listing and writing, of every collection, and the request in its exact shape with any name on it."""
    who = token(STRANGERS[stranger])
    email = (STRANGERS[stranger] or {}).get("email", OWNER)

    for collection in (*READ, *CLOSED):
        assert not database.get(who, f"{collection}/one"), collection
        assert not database.list(who, collection), collection
        assert not database.commit(who, database.write(f"{collection}/two", {"at": "now"})), collection
        assert not database.commit(who, database.delete(f"{collection}/one")), collection
    for name in (*CONTROL, "request"):
        assert not database.get(who, f"control/{name}"), name
        assert not database.commit(who, database.delete(f"control/{name}")), name
    assert not ask(database, who)
    assert not ask(database, who, who=email)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"action": "reduce"},
        {"action": "resume"},
        {"action": "flatten", "word": "FLATTEN"},
        {"why": ""},
        {"why": "x" * 200},
        {"id": "a"},
    ],
)
def test_the_owner_asks_in_the_exact_shape(database: Database, changes: dict[str, Any]) -> None:
    """Every action, written over whatever was asked before, and read back."""
    assert ask(database, ME, **changes)
    assert database.get(ME, "control/request")


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "sell"},
        {"action": "HALT"},
        {"action": None},
        {"action": "flatten"},
        {"action": "flatten", "word": "flatten"},
        {"action": "flatten", "word": "FLATTEN "},
        {"word": "FLATTEN"},
        {"word": ""},
        {"why": "x" * 201},
        {"why": None},
        {"why": 7},
        {"who": "someone@example.com"},
        {"who": OWNER.lower()},
        {"who": None},
        {"id": ""},
        {"id": "x" * 65},
        {"id": "a/b"},
        {"id": 7},
        {"more": True},
        {"at": "2026-01-05T00:05:00Z"},
        {"at": None},
        {"at": "now"},
        *({name: ...} for name in (*REQUEST, "at")),
    ],
    ids=str,
)
def test_no_other_shape_is_taken(database: Database, changes: dict[str, Any]) -> None:
    """Nothing missing, nothing more, nothing of another type, and only now."""
    assert not ask(database, ME, **changes)


def test_a_request_cannot_be_taken_back(database: Database) -> None:
    """It is answered instead; and a change of one field is judged as the whole document."""
    assert ask(database, ME)
    assert not database.commit(ME, database.delete("control/request"))
    narrow = database.write("control/request", {"action": "resume"}) | {"updateMask": {"fieldPaths": ["action"]}}
    assert not database.commit(ME, narrow)


def test_the_shape_is_that_of_the_contract() -> None:
    """The rules name the fields that the reconciler expects."""
    assert set(ControlRequest.__annotations__) == {*REQUEST, "at"}


def test_as_it_stands_the_file_lets_nobody_in() -> None:
    """Without the owner's address, which deployment puts in, there is only one that nobody can have."""
    text = RULES.read_text(encoding="utf-8")

    assert text.count(NOBODY_S_ADDRESS) == 1
    assert text.count("@") == 1
