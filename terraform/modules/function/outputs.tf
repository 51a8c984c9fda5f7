output "uri" {
  description = "Address that schedules and subscriptions call: calls to it from the same project count as internal."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
