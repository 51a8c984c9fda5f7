# Values never pass through Terraform, so neither plan nor state holds one: `gcloud secrets versions add` stores them.
resource "google_secret_manager_secret" "this" {
  for_each        = var.readers
  secret_id       = each.key
  deletion_policy = var.protected ? "PREVENT" : "DELETE"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

locals {
  grants = merge([
    for secret, functions in var.readers : { for name in functions : "${secret}/${name}" => { secret = secret, function = name } }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.grants
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = var.members[each.value.function]
}
