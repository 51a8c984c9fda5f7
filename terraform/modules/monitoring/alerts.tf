# Each alert has its section in docs/runbook.md, under its key here.
locals {
  signal_metric = { for code in keys(var.signals.codes) : code => "metric.type=\"logging.googleapis.com/user/${google_logging_metric.signal[code].name}\" AND resource.type=\"cloud_run_revision\"" }

  # Signals that page when one comes.
  signalled = {
    unprotected-position  = { signal = "POSITION_UNPROTECTED", severity = "CRITICAL", title = "A position has no stop" }
    trading-state-changed = { signal = "TRADING_STATE_CHANGED", severity = "WARNING", title = "The trading state was changed" }
    model-safe-mode       = { signal = "MODEL_SAFE_MODE", severity = "WARNING", title = "The model fails, entries wait" }
    model-budget-spent    = { signal = "MODEL_BUDGET_SPENT", severity = "WARNING", title = "The day's budget for models is spent" }
    weight-high           = { signal = "WEIGHT_HIGH", severity = "WARNING", title = "More than 80 % of the exchange's request weight is used" }
  }

  # Signals that page when none comes.
  silent = {
    no-tick = { signal = "TICK_SENT", duration = "900s", title = "No tick for 15 minutes" }
    no-pass = { signal = "PASS_DONE", duration = "600s", title = "The reconciler is silent for 10 minutes" }
  }

  # Everything with a threshold: events are summed over a window, levels are taken at their highest. An incident stays open for
  # half an hour, and silences what comes into it: so each occasion that a signal tells apart has its own.
  summed  = { aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", apart = [] }
  highest = { aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", apart = [], window_s = 60 }
  thresholds = merge(
    {
      for name, each in local.signalled : name => merge(local.summed, {
        title    = each.title
        severity = each.severity
        filter   = local.signal_metric[each.signal]
        apart    = [for name in var.signals.apart[each.signal] : "metric.label.${name}"]
        above    = 0
        window_s = 60
      })
    },
    {
      errors = merge(local.summed, {
        title    = "A function logged an error"
        severity = "ERROR"
        filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.errors.name}\" AND resource.type=\"cloud_run_revision\""
        apart    = ["metric.label.function"]
        above    = 0
        window_s = 300
      })
      failing-requests = merge(local.summed, {
        title    = "A function answers with 5xx again and again"
        severity = "ERROR"
        filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND metric.labels.response_code_class=\"5xx\""
        above    = 10
        window_s = 300
      })
      schedule-failing = merge(local.summed, {
        title    = "The scheduler cannot call a function"
        severity = "ERROR"
        filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.schedule_failures.name}\" AND resource.type=\"cloud_scheduler_job\""
        above    = 3
        window_s = 600
      })
      dead-letters = merge(local.highest, {
        title    = "Messages could not be delivered"
        severity = "ERROR"
        filter   = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*-dead\")"
        above    = 0
      })
      intents-waiting = merge(local.highest, {
        title    = "Trade intents wait for the executor"
        severity = "WARNING"
        filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"trade-intents-executor\""
        above    = 120
      })
    },
  )
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each              = local.thresholds
  display_name          = "withEarth: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.owner.id]

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "0s"

      aggregations {
        alignment_period     = "${each.value.window_s}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.apart
      }
    }
  }

  documentation {
    content   = "What to do: ${var.runbook}#${each.key}"
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "1800s"
  }
}

# An absence is only noticed of what has been there: the first tick and the first pass arm these alerts. A counter that nobody
# feeds may stop, or go on at nothing: either is silence.
resource "google_monitoring_alert_policy" "silent" {
  for_each              = local.silent
  display_name          = "withEarth: ${each.value.title}"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.owner.id]

  conditions {
    display_name = each.value.title

    condition_absent {
      filter   = local.signal_metric[each.value.signal]
      duration = each.value.duration

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  conditions {
    display_name = "${each.value.title}: none was counted"

    condition_threshold {
      filter          = local.signal_metric[each.value.signal]
      comparison      = "COMPARISON_LT"
      threshold_value = 1
      duration        = "0s"

      aggregations {
        alignment_period     = each.value.duration
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "What to do: ${var.runbook}#${each.key}"
    mime_type = "text/markdown"
  }
}

# A budget warns and stops nothing.
resource "google_billing_budget" "month" {
  count           = var.billing_account == null ? 0 : 1
  billing_account = var.billing_account
  display_name    = "withEarth ${var.project_id}"

  budget_filter {
    projects        = ["projects/${var.project_number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = var.budget_currency
      units         = tostring(var.monthly_budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.owner.id]
  }
}
