"""Every setting in one frozen model, loaded once and refused with sentences a person can act on."""

from withearth.settings.kinds import Group
from withearth.settings.loading import load_settings, settings_from_process
from withearth.settings.model import KEYS, Origin, Settings
from withearth.settings.references import SecretSource, is_reference
from withearth.settings.secrets import SECRET_KEYS, redact, reveal, reveal_anew
from withearth.settings.table import Row, describe

__all__ = [
    "KEYS",
    "SECRET_KEYS",
    "Group",
    "Origin",
    "Row",
    "SecretSource",
    "Settings",
    "describe",
    "is_reference",
    "load_settings",
    "redact",
    "reveal",
    "reveal_anew",
    "settings_from_process",
]
