# Journal and balance snapshots, and a copy of models' questions and answers where MODEL_PAYLOAD_DUMPS asks for it (GCS_BUCKET).
resource "google_storage_bucket" "archive" {
  #checkov:skip=CKV_GCP_62:Two functions write here and nobody reads from outside; Cloud Audit Logs tell of changes, access logs would need a bucket of their own.
  name                        = var.name
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = var.protected ? "PREVENT" : "DELETE"
  force_destroy               = !var.protected

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age = 90
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }
}

resource "google_storage_bucket_iam_member" "writer" {
  for_each = var.writers
  bucket   = google_storage_bucket.archive.name
  role     = "roles/storage.objectUser"
  member   = each.value
}
