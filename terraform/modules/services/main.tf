locals {
  apis = toset(concat(var.more, [
    "artifactregistry", "billingbudgets", "cloudbilling", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "compute", "firebase", "firebasehosting", "firebaserules", "firestore", "iam", "identitytoolkit", "logging",
    "monitoring", "pubsub", "run", "secretmanager", "storage",
  ]))
}

resource "google_project_service" "this" {
  for_each           = local.apis
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# The agent exists only once somebody asks for it, and grants to it fail before that.
resource "google_project_service_identity" "pubsub" {
  provider   = google-beta
  service    = "pubsub.googleapis.com"
  depends_on = [google_project_service.this]
}

data "google_project" "this" {
  depends_on = [google_project_service.this]
}
