resource "google_cloud_scheduler_job" "this" {
  for_each         = var.jobs
  name             = each.key
  description      = "Calls the ${each.key} function."
  region           = var.region
  schedule         = each.value.cron
  time_zone        = "Etc/UTC"
  attempt_deadline = "${each.value.deadline_s}s"
  paused           = each.value.paused

  retry_config {
    retry_count          = each.value.retries
    min_backoff_duration = "5s"
    max_backoff_duration = "20s"
    max_doublings        = 2
  }

  http_target {
    http_method = "POST"
    uri         = var.uris[each.key]
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    oidc_token {
      service_account_email = var.caller_emails[each.key]
      audience              = var.uris[each.key]
    }
  }
}
