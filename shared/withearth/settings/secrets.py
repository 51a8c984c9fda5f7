"""The one place where a secret leaves its wrapping."""

from typing import Final

from pydantic import SecretStr

from withearth.domain.errors import Misconfigured
from withearth.settings.model import KEYS, Settings
from withearth.settings.references import SCHEME, SecretSource, is_reference
from withearth.settings.wording import field_of

_fetched: Final[set[str]] = set()
"""Every value that a reference led to in this process, so that none of them is ever logged."""

SECRET_KEYS: Final = tuple(key for key in KEYS if field_of(key).annotation is SecretStr)


def reveal(settings: Settings, key: str, source: SecretSource | None = None) -> str:
    """Return a secret's value, fetched from the source when the setting is a reference to it."""
    secret = getattr(settings, key.lower())
    if not isinstance(secret, SecretStr):
        raise TypeError(f"{key} is not a secret")
    value = secret.get_secret_value()
    if not value:
        raise Misconfigured(f"{key} is not set: set it in .env or the environment.")
    return _resolved(key, value.removeprefix(SCHEME), source) if is_reference(value) else value


def reveal_anew(settings: Settings, key: str, source: SecretSource | None) -> str:
    """Return a secret's value after it was refused: its owner may have stored a newer one where it is referred to."""
    text = getattr(settings, key.lower()).get_secret_value()
    if source is not None and is_reference(text):
        source.forget(text.removeprefix(SCHEME))
    return reveal(settings, key, source)


def _resolved(key: str, name: str, source: SecretSource | None) -> str:
    if source is None:
        raise Misconfigured(
            f"{key} refers to the secret {name}, and there is no source of secrets here: "
            "set the value itself, or run where secrets are kept."
        )
    # A secret made from a file or with `echo` ends in a line break that is not part of it.
    value = source.resolve(name).strip()
    if not value:
        raise Misconfigured(f"{key} refers to the secret {name}, which is empty: store its value there.")
    _fetched.add(value)
    return value


def redact(text: str, settings: Settings) -> str:
    """Return the text with every secret of the settings, and every one this process has fetched, replaced by `***`."""
    secrets = (getattr(settings, key.lower()).get_secret_value() for key in SECRET_KEYS)
    # The longest first: one secret may be a piece of another.
    for secret in sorted({*filter(None, secrets), *_fetched}, key=len, reverse=True):
        text = text if is_reference(secret) else text.replace(secret, "***")
    return text
