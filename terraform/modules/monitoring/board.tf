locals {
  by_function = { perSeriesAligner = "ALIGN_RATE", crossSeriesReducer = "REDUCE_SUM", groupByFields = ["resource.label.service_name"] }
  charts = [
    { title = "Ticks sent", filter = local.signal_metric["TICK_SENT"], aggregation = { perSeriesAligner = "ALIGN_SUM", crossSeriesReducer = "REDUCE_SUM" } },
    { title = "Requests per second", filter = "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\"", aggregation = local.by_function },
    { title = "Requests answered with 5xx", filter = "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\" metric.labels.response_code_class=\"5xx\"", aggregation = local.by_function },
    { title = "Latency, 95th percentile", filter = "metric.type=\"run.googleapis.com/request_latencies\" resource.type=\"cloud_run_revision\"", aggregation = { perSeriesAligner = "ALIGN_PERCENTILE_95", crossSeriesReducer = "REDUCE_MAX", groupByFields = ["resource.label.service_name"] } },
    { title = "Running instances", filter = "metric.type=\"run.googleapis.com/container/instance_count\" resource.type=\"cloud_run_revision\"", aggregation = { perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_SUM", groupByFields = ["resource.label.service_name"] } },
    { title = "Errors logged", filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.errors.name}\" resource.type=\"cloud_run_revision\"", aggregation = { perSeriesAligner = "ALIGN_SUM", crossSeriesReducer = "REDUCE_SUM", groupByFields = ["metric.label.function"] } },
    { title = "Messages waiting, dead letters included", filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" resource.type=\"pubsub_subscription\"", aggregation = { perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_SUM", groupByFields = ["resource.label.subscription_id"] } },
    { title = "Age of the oldest waiting message", filter = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\"", aggregation = { perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_MAX", groupByFields = ["resource.label.subscription_id"] } },
    { title = "Firestore reads per second", filter = "metric.type=\"firestore.googleapis.com/document/read_ops_count\" resource.type=\"firestore.googleapis.com/Database\"", aggregation = { perSeriesAligner = "ALIGN_RATE", crossSeriesReducer = "REDUCE_SUM" } },
    { title = "Firestore writes per second", filter = "metric.type=\"firestore.googleapis.com/document/write_ops_count\" resource.type=\"firestore.googleapis.com/Database\"", aggregation = { perSeriesAligner = "ALIGN_RATE", crossSeriesReducer = "REDUCE_SUM" } },
  ]
}

resource "google_monitoring_dashboard" "operations" {
  dashboard_json = jsonencode({
    displayName = "withEarth"
    mosaicLayout = {
      columns = 12
      tiles = [for place, chart in local.charts : {
        xPos   = place % 2 * 6
        yPos   = floor(place / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter      = chart.filter
                  aggregation = merge({ alignmentPeriod = "60s" }, chart.aggregation)
                }
              }
            }]
          }
        }
      }]
    }
  })
}
