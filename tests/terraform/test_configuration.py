"""What the Terraform plan has to agree on with the code: settings, indexes, topics, sizes, signals, alerts."""

import re
from copy import deepcopy
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final

import pytest

from tests.terraform.plans import OWNER, PROJECT, ROOT, Plan
from withearth import deployment
from withearth.domain.errors import Misconfigured
from withearth.domain.times import TICK
from withearth.flow.dispatch import TO_DECIDE
from withearth.flow.documents import CLAIM_LEASE, EXPIRE_AT, EXPIRING
from withearth.flow.work import WORK_FOR
from withearth.local.scheduler import CLOUD_JOBS, SLOW_JOBS
from withearth.messaging.port import MARKET_TICKS, TRADE_INTENTS
from withearth.settings import KEYS, SECRET_KEYS, is_reference, load_settings
from withearth.settings.wording import bounds
from withearth.signals import APART, FIELD, Signal
from withearth.store.indexes import INDEXES

RUNBOOK: Final = ROOT / "docs" / "runbook.md"


def functions(plan: Plan) -> dict[str, Any]:
    """The configuration of each function."""
    return {each["name"]: each["service_config"][0] for each in plan.resources("google_cloudfunctions2_function")}


def environments(plan: Plan) -> dict[str, dict[str, str]]:
    """The environment of each function."""
    return {name: config["environment_variables"] for name, config in functions(plan).items()}


def test_every_environment_variable_is_a_setting(plan: Plan) -> None:
    """No function is told what the code does not read, nor its server, which reads THREADS."""
    assert {key for environment in environments(plan).values() for key in environment} - set(KEYS) == {"THREADS"}


def test_every_environment_is_accepted_by_the_settings(plan: Plan) -> None:
    """Loaded as the function loads it, with nothing misspelt and every rule between two settings kept."""
    for environment in environments(plan).values():
        load_settings(environment, env_file=None)


def test_a_plan_that_no_function_would_start_with_is_told(plan: Plan) -> None:
    """Each setting is in its range; together they are refused, as the function itself would."""
    deployment.check(plan.document)

    document = deepcopy(plan.document)
    for each in document["resource_changes"]:
        if each["address"] == 'module.function["reconciler"].google_cloudfunctions2_function.this':
            each["change"]["after"]["service_config"][0]["environment_variables"] |= {"RR_MIN_HIGH_PROB": "3"}
    with pytest.raises(Misconfigured, match="RR_MIN_HIGH_PROB is 3, above RR_MIN"):
        deployment.check(document)


def test_no_environment_holds_a_secret(plan: Plan) -> None:
    """Only references, to secrets that the plan makes."""
    secrets = {each["secret_id"] for each in plan.resources("google_secret_manager_secret")}
    told = {environment[key] for environment in environments(plan).values() for key in SECRET_KEYS}

    assert told == {f"secret://{name}" for name in secrets}
    assert all(is_reference(value) for value in told)


def test_firestore_has_the_indexes_that_the_queries_need(plan: Plan) -> None:
    """The composite indexes of the plan are those of store/indexes.py, and no other."""
    found = {
        (each["collection"], *((field["field_path"], field["order"]) for field in each["fields"]))
        for each in plan.resources("google_firestore_index")
    }

    assert found == {
        (
            index.collection,
            *((name, "ASCENDING") for name in index.equal),
            (index.order_by, index.direction.upper()),
        )
        for index in INDEXES
        if index.composite
    }


def test_firestore_forgets_what_says_when_it_may(plan: Plan) -> None:
    """A time to live for every collection whose documents have one."""
    found = {
        (each["collection"], each["field"]) for each in plan.resources("google_firestore_field") if each["ttl_config"]
    }

    assert found == {(collection, EXPIRE_AT) for collection in EXPIRING}


def test_the_rules_let_the_owner_in_and_nobody_else(plan: Plan) -> None:
    """The one address in them is the owner's; the file's own is nobody's."""
    (ruleset,) = plan.resources("google_firebaserules_ruleset")
    content = ruleset["source"][0]["files"][0]["content"]

    assert re.findall(r"[\w.]+@[\w.]+", content) == [OWNER]
    assert "if true" not in content


def test_topics_and_schedules_are_those_of_the_code(plan: Plan) -> None:
    """The names that the code publishes to, each with its dead letters; the hours that a local run keeps."""
    topics = {each["name"] for each in plan.resources("google_pubsub_topic")}
    schedules = {each["name"]: each["schedule"] for each in plan.resources("google_cloud_scheduler_job")}

    assert topics == {MARKET_TICKS, TRADE_INTENTS, f"{MARKET_TICKS}-dead", f"{TRADE_INTENTS}-dead"}
    assert schedules == {job.function: job.cron for job in (*CLOUD_JOBS, *SLOW_JOBS)}
    assert {each["time_zone"] for each in plan.resources("google_cloud_scheduler_job")} == {"Etc/UTC"}


def test_subscriptions_deliver_as_the_flow_needs_it(plan: Plan) -> None:
    """Never deleted for idleness, dead-lettered, in order for intents, and answered before they are sent again."""
    pushes = {each["name"]: each for each in plan.resources("google_pubsub_subscription") if each["push_config"]}

    assert set(pushes) == {f"{MARKET_TICKS}-worker", f"{TRADE_INTENTS}-executor"}
    for name, each in pushes.items():
        function = name.rsplit("-", 1)[1]
        assert each["enable_message_ordering"] is (function == "executor")
        assert each["ack_deadline_seconds"] > functions(plan)[function]["timeout_seconds"]
        assert each["dead_letter_policy"][0]["max_delivery_attempts"] == 5
        assert each["message_retention_duration"] == "600s"
    for each in plan.resources("google_pubsub_subscription"):
        assert each["expiration_policy"] == [{"ttl": ""}]


def test_no_call_outlives_its_lease(plan: Plan) -> None:
    """An execution is given up before its function is killed, and that before its lease can be taken over."""
    for name in ("executor", "reconciler", "worker"):
        assert timedelta(seconds=functions(plan)[name]["timeout_seconds"]) < CLAIM_LEASE
    for name in ("executor", "reconciler"):
        assert timedelta(seconds=functions(plan)[name]["timeout_seconds"]) > WORK_FOR


def test_no_call_is_killed_while_it_waits_as_it_may(plan: Plan) -> None:
    """For the last minute in which a tick may be sent, and, past the wait for its candle, for the slowest model."""

    def most_s(key: str) -> float:
        ends = bounds(key)
        assert ends is not None
        return float(ends[1])

    limits = {name: config["timeout_seconds"] for name, config in functions(plan).items()}

    assert most_s("MAX_TICK_AGE_SEC") - TO_DECIDE.total_seconds() < limits["dispatcher"] < TICK.total_seconds()
    assert most_s("G_TIMEOUT_MS") / 1000 + load_settings({}, None).candle_wait_sec < limits["worker"]


def test_functions_are_bounded(default_plan: Plan, plan: Plan) -> None:
    """One order at a time in an instance, few instances, and only ever one of what must not meet itself."""
    config = functions(plan) | functions(default_plan)

    assert set(config) == set(deployment.SIZES)
    assert (config["executor"]["max_instance_request_concurrency"], config["executor"]["max_instance_count"]) == (1, 4)
    assert {config[name]["max_instance_count"] for name in ("dispatcher", "reconciler", "sentiment")} == {1}


def test_a_function_works_on_as_many_requests_as_it_is_sent(plan: Plan) -> None:
    """Its server has four threads for each vCPU unless it is told how many."""
    for config in functions(plan).values():
        sent = config["max_instance_request_concurrency"]
        assert config["environment_variables"].get("THREADS", "1") == str(sent)


def test_the_reconciler_goes_on_when_trading_pauses(plan: Plan) -> None:
    """`paused` stops what decides; what watches open positions has no such switch."""
    text = (ROOT / "terraform" / "main.tf").read_text(encoding="utf-8")

    assert 'paused     = name != "reconciler" && var.paused' in text
    assert not any(each["paused"] for each in plan.resources("google_cloud_scheduler_job"))


def test_every_signal_is_counted_as_the_code_logs_it(plan: Plan) -> None:
    """One metric for each code, on the very field that `tell` writes."""
    filters = {each["name"]: each["filter"] for each in plan.resources("google_logging_metric")}

    for signal in Signal:
        assert filters[f"withearth/{signal.lower()}"].endswith(f' AND jsonPayload.{FIELD}="{signal}"')


def test_every_occasion_that_pages_has_an_incident_of_its_own(plan: Plan) -> None:
    """What comes into an open incident is told to nobody: another position, the next halt, another function's error."""
    metrics = {each["name"]: each for each in plan.resources("google_logging_metric")}
    grouped = {}
    for each in plan.resources("google_monitoring_alert_policy"):
        for threshold in each["conditions"][0]["condition_threshold"]:
            metric = threshold["filter"].split('"')[1].removeprefix("logging.googleapis.com/user/")
            grouped[metric] = threshold["aggregations"][0]["group_by_fields"]

    assert grouped["withearth/errors"] == ["metric.label.function"]
    for signal, facts in APART.items():
        metric = metrics[f"withearth/{signal.lower()}"]
        assert {each["key"] for each in metric["metric_descriptor"][0]["labels"]} == set(facts)
        assert metric["label_extractors"] == {name: f"EXTRACT(jsonPayload.{name})" for name in facts}
        assert grouped[metric["name"]] == [f"metric.label.{name}" for name in facts]


def test_every_signal_is_told_somewhere() -> None:
    """A metric nobody feeds would be an alert that never comes."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))

    assert not [signal for signal in Signal if f"Signal.{signal}" not in code]


def test_silence_is_noticed_whether_the_counter_stops_or_stays_at_nothing(plan: Plan) -> None:
    """Of what is told every five minutes within fifteen, of what is told every minute within ten."""
    policies = [each for each in plan.resources("google_monitoring_alert_policy") if len(each["conditions"]) > 1]
    found = {}
    for each in policies:
        (absent,) = each["conditions"][0]["condition_absent"]
        (counted,) = each["conditions"][1]["condition_threshold"]
        assert each["combiner"] == "OR"
        assert absent["filter"] == counted["filter"]
        assert (counted["comparison"], counted["threshold_value"]) == ("COMPARISON_LT", 1)
        assert counted["aggregations"][0]["alignment_period"] == absent["duration"]
        found[absent["filter"].split('"')[1].rsplit("/", 1)[1].upper()] = absent["duration"]

    assert found == {Signal.TICK_SENT: "900s", Signal.PASS_DONE: "600s"}


def test_every_alert_has_its_section_in_the_runbook(plan: Plan) -> None:
    """The link in an alert leads to a heading of its own."""
    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    linked = set()
    for each in plan.resources("google_monitoring_alert_policy"):
        (documentation,) = each["documentation"]
        linked |= set(re.findall(r"runbook\.md#([\w-]+)", documentation["content"]))

    assert len(linked) == len(list(plan.resources("google_monitoring_alert_policy")))
    assert linked <= anchors


def test_every_call_names_the_project_that_it_counts_for(plan: Plan) -> None:
    """Rules, sign-in, budgets and Firebase refuse without it whoever comes with a person's credentials."""
    providers = plan.document["configuration"]["provider_config"]

    assert set(providers) >= {"google", "google-beta"}
    for name in ("google", "google-beta"):
        expressions = providers[name]["expressions"]
        assert expressions["user_project_override"] == {"constant_value": True}
        assert expressions["billing_project"] == {"references": ["var.project_id"]}


def test_what_can_be_built_again_is_taken_down_and_what_cannot_is_kept(plan: Plan) -> None:
    """Cloud Storage deletes no bucket with something in it, unless that was said when the bucket was made."""
    buckets = {each["name"]: each["force_destroy"] for each in plan.resources("google_storage_bucket")}

    assert buckets == {f"{PROJECT}-withearth-packages": True, f"{PROJECT}-withearth-archive": False}


def test_the_dashboard_lies_where_signing_in_passes_through(plan: Plan) -> None:
    """The project's own site, whose name is no longer than a site's may be and taken by nobody else."""
    (site,) = plan.resources("google_firebase_hosting_site")
    (sign_in,) = plan.resources("google_identity_platform_config")

    assert site["site_id"] == PROJECT
    assert sign_in["authorized_domains"] == [f"{PROJECT}.web.app", f"{PROJECT}.firebaseapp.com"]


def test_the_budget_is_in_the_billing_account_s_currency(plan: Plan) -> None:
    """Google refuses any other, and with it the apply."""
    (budget,) = plan.resources("google_billing_budget")

    assert budget["amount"][0]["specified_amount"] == [{"currency_code": "KRW", "nanos": None, "units": "42000"}]


def test_whoever_asks_the_exchange_leaves_by_the_fixed_address_and_finds_one(plan: Plan) -> None:
    """All but the one that asks somebody else, with two addresses of the subnetwork for each instance there may be."""
    (subnetwork,) = plan.resources("google_compute_subnetwork")
    # The subnetwork is known only once there is one: who gets none is known before.
    changes = [each["change"] for each in plan.document["resource_changes"] if each["name"] == "this"]
    behind = {
        each["after"]["name"]: each["after"]["service_config"][0]["max_instance_count"]
        for each in changes
        if each["after_unknown"].get("service_config", [{}])[0].get("direct_vpc_network_interface")
    }

    assert set(behind) == {"dispatcher", "worker", "executor", "reconciler", "api"}
    # Google keeps four of each range.
    assert ip_network(subnetwork["ip_cidr_range"]).num_addresses - 4 >= 2 * sum(behind.values())
