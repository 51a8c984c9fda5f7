# One identity for each function, one for each caller of a function, one for builds. None has a key.
resource "google_service_account" "function" {
  for_each     = var.functions
  account_id   = "fn-${each.key}"
  display_name = "withEarth ${each.key}"
  description  = "Runs the ${each.key} function."
}

resource "google_service_account" "caller" {
  for_each     = var.called
  account_id   = "call-${each.key}"
  display_name = "withEarth caller of ${each.key}"
  description  = "May call the ${each.key} function and do nothing else."
}

resource "google_service_account" "build" {
  account_id   = "fn-build"
  display_name = "withEarth builds"
  description  = "Builds the functions' images."
}

# Firestore grants rights for a project; the condition narrows them to the one database.
resource "google_project_iam_member" "database" {
  for_each = var.database_roles
  project  = var.project_id
  role     = each.value
  member   = google_service_account.function[each.key].member

  condition {
    title      = "the default database only"
    expression = "resource.name == \"projects/${var.project_id}/databases/(default)\""
  }
}

resource "google_project_iam_member" "model" {
  for_each = var.model_users
  project  = var.project_id
  role     = "roles/aiplatform.user"
  member   = google_service_account.function[each.key].member
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/logging.logWriter", "roles/artifactregistry.writer"])
  project  = var.project_id
  role     = each.key
  member   = google_service_account.build.member
}

# A build reads the zip it was given, and the copy of it that the platform makes in buckets of its own.
resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "sources of functions only"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-\") || resource.name.startsWith(\"projects/_/buckets/${var.project_id}-withearth-packages\")"
  }
}
