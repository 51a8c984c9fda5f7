output "packages_bucket" {
  description = "Bucket to which the zips are uploaded."
  value       = google_storage_bucket.packages.name
}

output "repository" {
  description = "Full name of the repository of images."
  value       = google_artifact_registry_repository.images.id
}
