output "pubsub_agent" {
  description = "Member that stands for Pub/Sub itself: it moves dead letters."
  value       = google_project_service_identity.pubsub.member
}

output "project_number" {
  description = "Number of the project."
  value       = data.google_project.this.number
}
