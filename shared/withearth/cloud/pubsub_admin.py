"""What Pub/Sub says of its own subscriptions, for who looks whether everything is in place."""

from typing import Any

import requests

from withearth.cloud.faults import Service
from withearth.cloud.rest import GoogleRest


def push_subscriptions(project: str, emulator: str = "", rest: GoogleRest | None = None) -> list[dict[str, Any]]:
    """The subscriptions of a project, as https://cloud.google.com/pubsub/docs/reference/rest tells them.

    Raises Misconfigured or Unavailable.
    """
    service = Service(
        name="Pub/Sub",
        api="pubsub.googleapis.com",
        role="roles/pubsub.viewer",
        project=project,
        missing=f"There is no project {project}: correct PROJECT_ID.",
    )
    line = rest or (GoogleRest(service, f"http://{emulator}", requests.Session()) if emulator else GoogleRest(service))
    found = line.call("GET", f"v1/projects/{project}/subscriptions", params={"pageSize": 100})
    return list(found.get("subscriptions", []))
