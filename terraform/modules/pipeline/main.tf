# Cloud Build deploys under an identity of its own, which may change what Terraform makes, and read no secret: of secrets it sees
# their names and who may read them, or it could not even plan.
resource "google_service_account" "deploy" {
  account_id   = "ci-deploy"
  display_name = "withEarth deployment"
  description  = "Applies the Terraform configuration from Cloud Build."
}

locals {
  roles = toset([
    "roles/artifactregistry.admin", "roles/cloudbuild.builds.editor", "roles/cloudfunctions.developer",
    "roles/cloudscheduler.admin", "roles/compute.networkAdmin", "roles/compute.securityAdmin", "roles/datastore.owner",
    "roles/firebase.admin", "roles/iam.serviceAccountAdmin", "roles/identityplatform.admin", "roles/logging.admin",
    "roles/monitoring.editor", "roles/pubsub.admin", "roles/resourcemanager.projectIamAdmin", "roles/run.admin",
    "roles/secretmanager.viewer", "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
  ])
}

resource "google_project_iam_member" "deploy" {
  #checkov:skip=CKV_GCP_49:Terraform makes the identities and the trigger, so who applies it administers them; every deployment waits for an approval.
  for_each = local.roles
  project  = var.project_id
  role     = each.key
  member   = google_service_account.deploy.member
}

# The budget is no part of the project.
resource "google_billing_account_iam_member" "budget" {
  count              = var.billing_account == null ? 0 : 1
  billing_account_id = var.billing_account
  role               = "roles/billing.costsManager"
  member             = google_service_account.deploy.member
}

# Who deploys a function hands it its identity, and must be allowed to act as that one: as no other.
resource "google_service_account_iam_member" "acts_as" {
  for_each           = var.accounts
  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deploy.member
}

resource "google_cloudbuild_trigger" "deploy" {
  name            = "withearth"
  description     = "Tests and, when approved, deploys what is pushed to ${var.repository.branch}."
  location        = var.region
  service_account = google_service_account.deploy.id
  filename        = "cloudbuild.yaml"

  github {
    owner = var.repository.owner
    name  = var.repository.name
    push {
      branch = "^${var.repository.branch}$"
    }
  }

  approval_config {
    approval_required = true
  }

  substitutions = {
    _REGION = var.region
  }

  depends_on = [google_project_iam_member.deploy]
}
