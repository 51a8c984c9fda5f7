# The functions' zips, each named by its hash: what was deployed once can be deployed again. All of them can be built again, so
# the bucket goes with what is in it when everything is taken down.
resource "google_storage_bucket" "packages" {
  #checkov:skip=CKV_GCP_62:It holds code under its hash, no secrets; Cloud Audit Logs tell of changes.
  name                        = "${var.project_id}-withearth-packages"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  versioning {
    enabled = true
  }

  # A zip that is uploaded again for a rollback gets a new date.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age        = 30
      with_state = "ARCHIVED"
    }
  }
}

# Without a repository of our own, images land in one that nobody cleans up.
resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Images hold code and no secrets; keys at rest are Google's, a key of our own costs and can be lost.
  location               = var.region
  repository_id          = "withearth"
  description            = "Images built from the functions' zips."
  format                 = "DOCKER"
  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "30d"
    }
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
}
