"""The schedules of a deployed installation: jobs of Cloud Scheduler, named as the functions they call.

https://cloud.google.com/scheduler/docs/reference/rest
"""

from dataclasses import replace
from typing import Any, Final

from withearth.cloud.faults import Service
from withearth.cloud.rest import GoogleRest
from withearth.local.schedules import Schedule

PAGE: Final = 500


class CloudSchedules:
    """The schedules port over Cloud Scheduler."""

    def __init__(self, project: str, region: str, rest: GoogleRest | None = None) -> None:
        self._jobs = f"v1/projects/{project}/locations/{region}/jobs"
        self._region = region
        self._service = Service(
            name="Cloud Scheduler",
            api="cloudscheduler.googleapis.com",
            role="roles/cloudscheduler.admin",
            project=project,
            missing=f"There are no schedules in the region {region} of the project {project}: correct REGION or "
            "PROJECT_ID, or make them with `terraform apply`.",
        )
        self._rest = rest or GoogleRest(self._service)

    def all(self) -> list[Schedule]:
        """Every schedule, by name. Raises Misconfigured or Unavailable."""
        jobs = self._rest.call("GET", self._jobs, params={"pageSize": PAGE}).get("jobs", [])
        return sorted((_schedule(job) for job in jobs), key=lambda each: each.name)

    def pause(self, name: str) -> None:
        """Let a schedule fire no more, until it is resumed. Paused already is as good."""
        self._change(name, "pause")

    def resume(self, name: str) -> None:
        """Let it fire again, from its next instant on."""
        self._change(name, "resume")

    def run(self, name: str) -> None:
        """Call its function now, also while it is paused."""
        self._change(name, "run")

    def _change(self, name: str, verb: str) -> None:
        project = self._service.project
        missing = (
            f"There is no schedule {name} in the region {self._region} of the project {project}: "
            "`withearth schedules list` names those there are."
        )
        self._rest.call("POST", f"{self._jobs}/{name}:{verb}", json={}, service=replace(self._service, missing=missing))


def _schedule(job: dict[str, Any]) -> Schedule:
    status = job.get("status") or {}
    failed = f"failed: {status.get('message') or status['code']}" if status.get("code") else "called"
    return Schedule(
        name=str(job["name"]).rsplit("/", 1)[-1],
        cron=str(job.get("schedule", "")),
        paused=job.get("state") == "PAUSED",
        next_at=job.get("scheduleTime", ""),
        last=f"{job['lastAttemptTime']} {failed}" if job.get("lastAttemptTime") else "",
    )
