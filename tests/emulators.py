"""Google's official Firestore and Pub/Sub emulators: found, started, and stopped with the tests.

Looked for in this order: FIRESTORE_EMULATOR_HOST / PUBSUB_EMULATOR_HOST (host:port of one that runs already),
FIRESTORE_EMULATOR_JAR / PUBSUB_EMULATOR_JAR, and the Google Cloud CLI's own installation. The jar is started itself:
`gcloud emulators ... start` leaves its Java behind when it is stopped. `python -m tests.emulators` says what is there,
`python -m tests.emulators firestore` runs one until its input ends.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_SECONDS: Final = 60
STOP_SECONDS: Final = 5


class NotFound(Exception):
    """There is nothing to run; the text says what to install."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """One of them: its title, its name in variables, its component of the CLI, its jar below the CLI's `platform`."""

    title: str
    name: str
    component: str
    jars: str
    main_class: str = ""

    @property
    def host_variable(self) -> str:
        """Names one that runs already."""
        return f"{self.name}_EMULATOR_HOST"

    @property
    def jar_variable(self) -> str:
        """Names the jar."""
        return f"{self.name}_EMULATOR_JAR"


FIRESTORE: Final = Emulator(
    "Firestore",
    "FIRESTORE",
    "cloud-firestore-emulator",
    "cloud-firestore-emulator/*.jar",
    "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
)
PUBSUB: Final = Emulator("Pub/Sub", "PUBSUB", "pubsub-emulator", "pubsub-emulator/lib/*.jar")


def command_of(emulator: Emulator, environ: Mapping[str, str]) -> list[str]:
    """The command that runs it, without its address. Raises NotFound, saying what to install."""
    java = shutil.which("java")
    jar = environ.get(emulator.jar_variable) or _jar_of_the_cli(emulator)
    if java is None or jar is None:
        raise NotFound(
            f"{emulator.title} emulator not found: install Java 17 or newer and the Google Cloud CLI, then "
            f"`gcloud components install {emulator.component}` (Debian: google-cloud-cli-{_package(emulator)}); "
            f"or set {emulator.jar_variable} to its jar, or {emulator.host_variable} to one that runs."
        )
    started = ["-cp", jar, emulator.main_class] if emulator.main_class else ["-jar", jar]
    return [java, "-Duser.language=en", "-Xmx512m", "-XX:TieredStopAtLevel=1", *started]


def _package(emulator: Emulator) -> str:
    return emulator.component.removeprefix("cloud-")


def _jar_of_the_cli(emulator: Emulator) -> str | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    platform = Path(gcloud).resolve().parent.parent / "platform"
    return max(map(str, platform.glob(emulator.jars)), default=None)


@contextmanager
def running(emulator: Emulator) -> Iterator[str]:
    """Its host:port, while the context lasts. Raises NotFound."""
    given = os.environ.get(emulator.host_variable)
    if given:
        yield given
        return
    command = command_of(emulator, os.environ)
    port = _free_port()
    address = ["--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen([*command, *address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r} does not open its port") from None
            time.sleep(0.02)
        else:
            return


def hold(emulator: Emulator) -> int:
    """Tell its host:port in a line, and keep it until the input ends: for tests that are not written in Python."""
    try:
        with running(emulator) as address:
            sys.stdout.write(f"{address}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except NotFound as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def main() -> int:
    """Start and stop each, and say what is missing. Returns the exit status."""
    missing = 0
    for emulator in (FIRESTORE, PUBSUB):
        begun = time.monotonic()
        try:
            with running(emulator) as address:
                took = time.monotonic() - begun
                sys.stdout.write(f"{emulator.title} emulator: found, answers on {address} after {took:.1f} s\n")
        except NotFound as error:
            missing = 1
            sys.stdout.write(f"{error}\n")
    return missing


if __name__ == "__main__":
    sys.exit(hold(FIRESTORE) if sys.argv[1:] == ["firestore"] else main())
