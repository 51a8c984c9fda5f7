output "url" {
  description = "Address of the dashboard."
  value       = google_firebase_hosting_site.dashboard.default_url
}

output "site_id" {
  description = "Name of the Hosting site."
  value       = google_firebase_hosting_site.dashboard.site_id
}
