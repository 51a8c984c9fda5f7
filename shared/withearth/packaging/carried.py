"""Third-party code that a package carries with it, because the platform's own installation refuses to install it.

binance-common 4.7.0 asks for a certifi that was never published and does not use it. On a machine of ours its
requirements are complete, so nothing is resolved and nobody notices; Google's build resolves, and ends in an error.
What is carried are the files of the hashed wheel, taken from the environment that was installed from it and held
against its record. Its metadata keep name and version, and ask for nothing: what it needs stands in requirements.txt.
"""

import base64
import hashlib
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePosixPath
from typing import Final

from withearth.domain.errors import Misconfigured

CARRIED: Final = ("binance-common", "binance-sdk-derivatives-trading-usds-futures")

_REQUIREMENT: Final = re.compile(rb"^([a-z0-9._-]+)==([^ \n]+)[^\n]*\n(?:[ \t][^\n]*\n?)*", re.MULTILINE)


def carry(requirements: bytes) -> tuple[bytes, dict[PurePosixPath, bytes]]:
    """The requirements without those that are carried, and the files of the ones that were among them.

    Raises Misconfigured when the environment does not hold exactly the version that is required.
    """
    wanted = {name: version for name, version in pinned(requirements).items() if name in CARRIED}
    kept = _REQUIREMENT.sub(lambda found: b"" if found[1].decode() in wanted else found[0], requirements)
    files: dict[PurePosixPath, bytes] = {}
    for name, version in wanted.items():
        files |= _files(_installed(name, version))
    return kept, files


def pinned(requirements: bytes) -> dict[str, str]:
    """The versions that a requirements file names."""
    return {found[1].decode(): found[2].decode() for found in _REQUIREMENT.finditer(requirements)}


def _installed(name: str, version: str) -> Distribution:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise Misconfigured(f"{name} is not installed here, and packages carry it: run make packages.") from None
    if found.version != version:
        raise Misconfigured(f"{name} is installed as {found.version}, required is {version}: run make packages.")
    return found


def _files(installed: Distribution) -> dict[PurePosixPath, bytes]:
    """The wheel's code and licences, each as its record has it. Raises Misconfigured for a changed one."""
    files = {}
    for file in installed.files or ():
        path = PurePosixPath(file)
        if file.hash is None or path.suffix == ".pyc" or _is_metadata(path):
            continue
        data = file.read_binary()
        digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, data).digest()).rstrip(b"=").decode()
        if digest != file.hash.value:
            raise Misconfigured(f"{path} was changed after it was installed: delete .venv and run make packages.")
        files[path] = data
    identity = f"Metadata-Version: 2.1\nName: {installed.name}\nVersion: {installed.version}\n"
    folder = f"{installed.name.replace('-', '_')}-{installed.version}.dist-info"
    return files | {PurePosixPath(folder, "METADATA"): identity.encode()}


def _is_metadata(path: PurePosixPath) -> bool:
    return path.parts[0].endswith(".dist-info") and "licenses" not in path.parts
