"""`make deploy`: the commands it gives, in their order, against stand-ins that write down how they were called."""

import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PROJECT: Final = "demo-project"
TOOLS: Final = ("gcloud", "terraform", "firebase", "npm", "make")
NAMES: Final = ("dispatcher", "worker", "executor", "reconciler", "sentiment", "api")
RECORDER: Final = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case "$(basename "$0") $*" in
  "gcloud storage buckets describe"*) test -e "$WORLD/bucket" ;;
  "gcloud storage buckets create"*) touch "$WORLD/bucket" ;;
  "make packages ARGS=")
    mkdir -p dist
    for each in dispatcher worker executor reconciler sentiment api; do echo $each >dist/$each.zip; done ;;
  "terraform "*"output -raw dashboard_site") printf demo-project ;;
  "terraform "*"output -raw environment") printf "STORE='cloud'\\n" ;;
  "withearth doctor") test "$STORE" = cloud ;;
  "python -m withearth.deployment "*) test ! -e "$WORLD/misconfigured" ;;
  "terraform "*" plan "*) test ! -e "$WORLD/broken" ;;
  "terraform "*" init "*) mkdir -p terraform/.terraform; touch terraform/.terraform.lock.hcl ;;
  "firebase target:apply "*) touch dashboard/.firebaserc firebase-debug.log ;;
esac
"""


class Checkout:
    """A committed checkout with the deployment in it, and a path that begins with stand-ins."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "checkout"
        self.world = directory / "world"
        self._bin = directory / "bin"
        self._path = f"{self._bin}:/usr/bin:/bin"
        inside = [self.root / each for each in ("deploy", "terraform", "dashboard", ".venv/bin")]
        for each in (*inside, self.world, self._bin):
            each.mkdir(parents=True)
        shutil.copy(ROOT / "deploy" / "deploy.sh", self.root / "deploy")
        shutil.copy(ROOT / ".gitignore", self.root)
        for name in TOOLS:
            self._record(self._bin / name)
        for name in ("python", "withearth"):
            self._record(self.root / ".venv" / "bin" / name)
        self.choose("owner@example.com")
        self._git("init", "-q")
        self._git("add", "-A")
        self._git("-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "-qm", "all")

    def choose(self, owner: str) -> None:
        """Write the owner's choices, which are not committed."""
        choices = f'owner_email = "{owner}"\n'
        (self.root / "terraform" / "owner.auto.tfvars").write_text(choices, encoding="utf-8")

    def only_with(self, *tools: str) -> None:
        """Take every other tool of the machine away."""
        for name in tools:
            (self._bin / name).symlink_to(str(shutil.which(name)))
        self._path = str(self._bin)

    def deploy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {"PATH": self._path, "CALLS": str(self._calls), "WORLD": str(self.world)}
        command = ["sh", "deploy/deploy.sh", *arguments]
        return subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def calls(self) -> list[str]:
        """Every command so far."""
        return self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []

    @property
    def _calls(self) -> Path:
        return self.world / "calls"

    def _record(self, path: Path) -> None:
        path.write_text(RECORDER, encoding="utf-8")
        path.chmod(0o755)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True)  # noqa: S607 - whichever git there is


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A clean checkout."""
    return Checkout(tmp_path)


def test_a_deployment_gives_every_command_in_its_order(checkout: Checkout) -> None:
    """State, packages, dashboard, plan, apply of that very plan, hosting, and the doctor last."""
    done = checkout.deploy(PROJECT, "--yes")
    calls = checkout.calls()
    marks = [
        "gcloud storage buckets create gs://demo-project-withearth-state",
        "make packages ARGS=",
        "npm --prefix dashboard run build",
        "terraform -chdir=terraform init -input=false -reconfigure -backend-config=bucket=demo-project-withearth-state",
        "terraform -chdir=terraform apply -input=false -auto-approve -target=module.artifacts",
        "gcloud storage cp --no-clobber dist/dispatcher.zip",
        "terraform -chdir=terraform plan -input=false -out=withearth.tfplan -var project_id=demo-project",
        "python -m withearth.deployment dist/plan.json",
        "terraform -chdir=terraform apply -input=false withearth.tfplan",
        "firebase target:apply hosting dashboard demo-project",
        "firebase deploy --only hosting:dashboard --project demo-project",
        "gcloud storage cp terraform/owner.auto.tfvars gs://demo-project-withearth-state/owner.auto.tfvars",
        "withearth doctor",
    ]
    places = [next(place for place, call in enumerate(calls) if call.startswith(mark)) for mark in marks]

    assert done.returncode == 0, done.stderr
    assert places == sorted(places)


def test_every_counter_is_made_before_the_alerts(checkout: Checkout) -> None:
    """Monitoring refuses an alert on a metric that it does not know yet, which takes it minutes."""
    checkout.deploy(PROJECT, "--yes")
    monitoring = (ROOT / "terraform" / "modules" / "monitoring" / "main.tf").read_text(encoding="utf-8")
    counters = re.findall(r'^resource "(google_logging_metric)" "(\w+)"', monitoring, re.MULTILINE)
    (early,) = (call for call in checkout.calls() if "-target=module.artifacts" in call)

    assert counters
    assert all(f"-target=module.monitoring.{kind}.{name}" in early.split() for kind, name in counters)


@pytest.mark.parametrize("hashing", ["sha256sum", "shasum"])
def test_each_package_is_named_by_its_hash(checkout: Checkout, hashing: str) -> None:
    """In the bucket, and in what Terraform is told; on Linux and on a Mac."""
    checkout.only_with(hashing, "sh", "git", "grep", "cut", "tr", "cat", "mkdir", "touch", "basename", "dirname")
    checkout.deploy(PROJECT, "--yes")
    told = (checkout.root / "terraform" / "packages.auto.tfvars.json").read_text(encoding="utf-8")

    for name in NAMES:
        digest = sha256(f"{name}\n".encode()).hexdigest()
        target = f"gs://demo-project-withearth-packages/functions/{name}-{digest}.zip"
        assert f"gcloud storage cp --no-clobber dist/{name}.zip {target}" in checkout.calls()
        assert f'"{name}": "{digest}"' in told


def test_a_second_deployment_makes_no_second_bucket(checkout: Checkout) -> None:
    """Every step may be repeated: what the tools leave in the checkout is no change of it."""
    statuses = [checkout.deploy(PROJECT, "--yes").returncode for _ in range(2)]

    assert statuses == [0, 0]
    assert sum("buckets create" in call for call in checkout.calls()) == 1


def test_a_dry_run_prints_every_command_and_gives_none(checkout: Checkout) -> None:
    """What it prints is what a deployment does."""
    dry = checkout.deploy(PROJECT, "--dry-run")
    assert checkout.calls() == []

    checkout.deploy(PROJECT, "--yes")
    shown = {line.removeprefix("+ ").split()[0] for line in dry.stdout.splitlines() if line.startswith("+ ")}
    assert dry.returncode == 0
    assert shown == {"gcloud", "make", "npm", "terraform", "firebase", "sh", ".venv/bin/python"}
    assert sum(line.startswith("+ ") for line in dry.stdout.splitlines()) == len(checkout.calls())


@pytest.mark.parametrize("fault", ["broken", "misconfigured"])
def test_a_plan_that_fails_changes_nothing(checkout: Checkout, fault: str) -> None:
    """Nothing is applied, and nothing is deployed to Hosting: nor where no function would start with its settings."""
    (checkout.world / fault).touch()
    done = checkout.deploy(PROJECT, "--yes")

    assert done.returncode != 0
    assert not [call for call in checkout.calls() if call.endswith("apply -input=false withearth.tfplan")]
    assert not [call for call in checkout.calls() if call.startswith("firebase")]


def test_nothing_is_applied_unasked(checkout: Checkout) -> None:
    """Without a terminal to ask on and without --yes the plan is all there is."""
    done = checkout.deploy(PROJECT)

    assert (done.returncode, "give --yes" in done.stderr) == (2, True)
    assert not [call for call in checkout.calls() if call.endswith("apply -input=false withearth.tfplan")]


def test_a_changed_checkout_is_refused(checkout: Checkout) -> None:
    """What is not committed could not be deployed again."""
    (checkout.root / "deploy" / "more").touch()
    done = checkout.deploy(PROJECT, "--yes")

    assert (done.returncode, "commit or stash" in done.stderr) == (2, True)
    assert checkout.calls() == []


def test_the_example_s_owner_is_refused(checkout: Checkout) -> None:
    """Somebody has to own what is deployed."""
    checkout.choose("you@example.com")
    done = checkout.deploy(PROJECT, "--yes")

    assert (done.returncode, "set it to your Google account" in done.stderr) == (2, True)
    assert not [call for call in checkout.calls() if call.startswith("terraform")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "no project is named"),
        (["No_Project"], "PROJECT is No_Project; allowed are"),
        ([PROJECT, "another-project"], "name one"),
        ([PROJECT, "--force"], "--force is no option"),
        ([PROJECT, "--region", "europe-west1"], "--region is no option"),
        ([PROJECT, "--only", "pray"], "pray is no step: allowed are check state"),
    ],
)
def test_a_wrong_call_is_told_in_one_sentence(checkout: Checkout, arguments: list[str], told: str) -> None:
    """What is wrong, and what is allowed; nothing is called."""
    done = checkout.deploy(*arguments)

    assert (done.returncode, told in done.stderr, checkout.calls()) == (2, True, [])
