# Logs of all functions go to the default bucket; 30 days there are free.
resource "google_logging_project_bucket_config" "default" {
  project        = var.project_id
  location       = "global"
  bucket_id      = "_Default"
  retention_days = var.log_retention_days
}

resource "google_monitoring_notification_channel" "owner" {
  display_name = "withEarth owner"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

locals {
  services = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in sort(var.functions) : "\"${name}\""])})"
}

# One counter for each signal of the code.
resource "google_logging_metric" "signal" {
  for_each    = var.signals.codes
  name        = "withearth/${lower(each.key)}"
  description = each.value
  filter      = "${local.services} AND jsonPayload.${var.signals.field}=\"${each.key}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = var.signals.apart[each.key]
      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  label_extractors = { for name in var.signals.apart[each.key] : name => "EXTRACT(jsonPayload.${name})" }
}

resource "google_logging_metric" "errors" {
  name        = "withearth/errors"
  description = "Entries of the functions' logs that are errors."
  filter      = "${local.services} AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key        = "function"
      value_type = "STRING"
    }
  }

  label_extractors = { "function" = "EXTRACT(resource.labels.service_name)" }
}

resource "google_logging_metric" "schedule_failures" {
  name        = "withearth/schedule_failures"
  description = "Calls by the scheduler that failed, retries included."
  filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=(${join(" OR ", [for name in sort(var.functions) : "\"${name}\""])}) AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}
