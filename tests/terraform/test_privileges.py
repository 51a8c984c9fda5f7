"""Who may do what in the cloud, read from the plan: the whole list, so that nothing can be added unseen."""

from collections.abc import Iterable
from typing import Any, Final

from tests.terraform.plans import OWNER, PROJECT, Plan

DATABASE: Final = f'resource.name == "projects/{PROJECT}/databases/(default)"'
DEPLOYING: Final = frozenset(
    {
        "roles/artifactregistry.admin",
        "roles/cloudbuild.builds.editor",
        "roles/cloudfunctions.developer",
        "roles/cloudscheduler.admin",
        "roles/compute.networkAdmin",
        "roles/compute.securityAdmin",
        "roles/datastore.owner",
        "roles/firebase.admin",
        "roles/iam.serviceAccountAdmin",
        "roles/identityplatform.admin",
        "roles/logging.admin",
        "roles/monitoring.editor",
        "roles/pubsub.admin",
        "roles/resourcemanager.projectIamAdmin",
        "roles/run.admin",
        "roles/secretmanager.viewer",
        "roles/serviceusage.serviceUsageAdmin",
        "roles/storage.admin",
    }
)

Grant = tuple[str, str, str]
"""Who, which role, on what."""


def grants(plan: Plan) -> set[Grant]:
    """Every grant of the plan, as (member, role, on what)."""
    return {
        (_who(each), each["role"], _what(each)) for each in plan.resources() if each["kind"].endswith("_iam_member")
    }


def _who(grant: dict[str, Any]) -> str:
    """The member in short. Pub/Sub's own agent is known only once it is made."""
    member = grant.get("member", "pubsub-agent")
    return str(member).removeprefix("serviceAccount:").removesuffix(f"@{PROJECT}.iam.gserviceaccount.com")


def _what(grant: dict[str, Any]) -> str:
    """What a grant is on, with its condition."""
    kind = grant["kind"].removeprefix("google_").removesuffix("_iam_member")
    names = {
        "project": "project",
        "secret_manager_secret": "secret_id",
        "cloud_run_v2_service": "name",
        "pubsub_topic": "topic",
        "pubsub_subscription": "subscription",
        "storage_bucket": "bucket",
        "service_account": "service_account_id",
        "billing_account": "billing_account_id",
    }
    conditions = "".join(f" if {each['expression']}" for each in grant.get("condition") or [])
    name = str(grant.get(names[kind]) or grant["address"].split('"')[-2])
    return f"{kind} {name}{conditions}"


def on(grants_: Iterable[Grant], start: str) -> set[Grant]:
    """The grants on things of one kind."""
    return {each for each in grants_ if each[2].startswith(start)}


def test_each_secret_is_read_by_who_needs_it_only(plan: Plan) -> None:
    """Executor and reconciler read the trading key, the worker the model's, sentiment its own, nobody else any."""
    role = "roles/secretmanager.secretAccessor"

    assert on(grants(plan), "secret_manager_secret") == {
        ("fn-executor", role, "secret_manager_secret binance-api-key"),
        ("fn-executor", role, "secret_manager_secret binance-api-secret"),
        ("fn-reconciler", role, "secret_manager_secret binance-api-key"),
        ("fn-reconciler", role, "secret_manager_secret binance-api-secret"),
        ("fn-worker", role, "secret_manager_secret gemini-api-key"),
        ("fn-sentiment", role, "secret_manager_secret xai-api-key"),
    }


def test_each_function_is_called_by_its_own_caller_only(plan: Plan) -> None:
    """One identity for each function that a schedule or a subscription calls; the owner calls the api."""
    role, called = "roles/run.invoker", ("dispatcher", "worker", "executor", "reconciler", "sentiment")

    assert on(grants(plan), "cloud_run_v2_service") == {
        *((f"call-{name}", role, f"cloud_run_v2_service {name}") for name in called),
        (f"user:{OWNER}", role, "cloud_run_v2_service api"),
    }


def test_each_topic_is_published_to_by_one_function_only(plan: Plan) -> None:
    """The dispatcher publishes ticks, the worker intents, and Pub/Sub itself the dead letters."""
    role = "roles/pubsub.publisher"

    assert on(grants(plan), "pubsub_") == {
        ("fn-dispatcher", role, "pubsub_topic market-ticks"),
        ("fn-worker", role, "pubsub_topic trade-intents"),
        ("pubsub-agent", role, "pubsub_topic market-ticks-dead"),
        ("pubsub-agent", role, "pubsub_topic trade-intents-dead"),
        ("pubsub-agent", "roles/pubsub.subscriber", "pubsub_subscription market-ticks-worker"),
        ("pubsub-agent", "roles/pubsub.subscriber", "pubsub_subscription trade-intents-executor"),
    }


def test_the_project_grants_the_database_and_builds_only(plan: Plan) -> None:
    """Each function has the one database, the api for reading only; the worker asks models; a build reads sources."""
    user, viewer = "roles/datastore.user", "roles/datastore.viewer"
    sources = (
        'resource.name.startsWith("projects/_/buckets/gcf-v2-") || '
        f'resource.name.startsWith("projects/_/buckets/{PROJECT}-withearth-packages")'
    )
    writing = ("dispatcher", "worker", "executor", "reconciler", "sentiment")

    assert on(grants(plan), "project ") == {
        *((f"fn-{name}", user, f"project {PROJECT} if {DATABASE}") for name in writing),
        ("fn-api", viewer, f"project {PROJECT} if {DATABASE}"),
        ("fn-worker", "roles/aiplatform.user", f"project {PROJECT}"),
        ("fn-build", "roles/logging.logWriter", f"project {PROJECT}"),
        ("fn-build", "roles/artifactregistry.writer", f"project {PROJECT}"),
        ("fn-build", "roles/storage.objectViewer", f"project {PROJECT} if {sources}"),
        *(("ci-deploy", role, f"project {PROJECT}") for role in DEPLOYING),
    }


def test_the_archive_is_written_by_two_functions_only(plan: Plan) -> None:
    """The worker keeps payloads, the reconciler snapshots."""
    archive = f"storage_bucket {PROJECT}-withearth-archive"

    assert on(grants(plan), "storage_bucket") == {
        ("fn-worker", "roles/storage.objectUser", archive),
        ("fn-reconciler", "roles/storage.objectUser", archive),
    }


def test_of_the_billing_account_only_a_deployment_sees_the_costs(plan: Plan) -> None:
    """It looks after the budget, and after no payment."""
    assert on(grants(plan), "billing_account") == {
        ("ci-deploy", "roles/billing.costsManager", "billing_account 012345-6789AB-CDEF01")
    }


def test_only_a_deployment_acts_as_an_identity(plan: Plan) -> None:
    """It hands functions, callers and builds their identities; nobody else may act as any."""
    accounts = {each["account_id"] for each in plan.resources("google_service_account")} - {"ci-deploy"}

    assert on(grants(plan), "service_account") == {
        ("ci-deploy", "roles/iam.serviceAccountUser", f"service_account {name}") for name in accounts
    }


def test_there_is_no_grant_that_was_not_looked_at(plan: Plan) -> None:
    """The tests above are the whole list: no binding or policy, no key, nobody whom everybody can be, no basic role."""
    kinds = {
        "secret_manager_secret",
        "cloud_run_v2_service",
        "pubsub_",
        "project ",
        "storage_bucket",
        "service_account",
        "billing_account",
    }
    found = grants(plan)

    assert found == set().union(*(on(found, kind) for kind in kinds))
    assert not [each["address"] for each in plan.resources() if each["kind"].endswith(("_iam_binding", "_iam_policy"))]
    assert not list(plan.resources("google_service_account_key"))
    assert not {who for who, _, _ in found} & {"allUsers", "allAuthenticatedUsers"}
    assert not {role for _, role, _ in found} & {"roles/owner", "roles/editor", "roles/viewer"}


def test_each_function_runs_as_itself_and_is_closed_to_the_outside(plan: Plan) -> None:
    """Its own identity, and an address that only the project's own services reach, but for the api."""
    functions = {each["name"]: each["service_config"][0] for each in plan.resources("google_cloudfunctions2_function")}

    for name, config in functions.items():
        assert config["service_account_email"] == f"fn-{name}@{PROJECT}.iam.gserviceaccount.com"
        assert config["ingress_settings"] == ("ALLOW_ALL" if name == "api" else "ALLOW_INTERNAL_ONLY")


def test_less_is_granted_where_less_is_switched_on(plan: Plan, default_plan: Plan) -> None:
    """The defaults have no sentiment function, no deployment identity, and nothing that the full list lacks."""
    defaults = grants(default_plan)

    assert defaults < grants(plan)
    assert not {who for who, _, _ in defaults} & {"fn-sentiment", "call-sentiment", "ci-deploy"}
