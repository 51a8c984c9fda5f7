# Where two writers meet, the second waits: that is what pessimistic means. Deleting takes two deliberate steps.
resource "google_firestore_database" "main" {
  name                              = "(default)"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  concurrency_mode                  = "PESSIMISTIC"
  delete_protection_state           = var.protected ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.protected ? "ABANDON" : "DELETE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED"
}

resource "google_firestore_index" "this" {
  for_each = {
    for index in var.indexes :
    join("_", concat([index.collection], [for each in index.fields : "${each.field}-${lower(each.order)}"])) => index
  }
  database   = google_firestore_database.main.name
  collection = each.value.collection

  fields {
    field_path = each.value.fields[0].field
    order      = each.value.fields[0].order
  }

  fields {
    field_path = each.value.fields[1].field
    order      = each.value.fields[1].order
  }
}

# Times in ascending order make a hot spot of an index, and nothing asks for this field: the empty block takes it out.
resource "google_firestore_field" "expiry" {
  for_each   = var.expiring.collections
  database   = google_firestore_database.main.name
  collection = each.key
  field      = var.expiring.field
  ttl_config {}
  index_config {}
}

resource "google_firestore_field" "unindexed" {
  for_each   = merge([for collection, names in var.unindexed : { for name in names : "${collection}/${name}" => { collection = collection, field = name } }]...)
  database   = google_firestore_database.main.name
  collection = each.value.collection
  field      = each.value.field
  index_config {}
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.main.name
  retention = "${var.backup_retention_days * 86400}s"
  daily_recurrence {}
}

# A ruleset never changes: a new one is released, then the old one goes.
resource "google_firebaserules_ruleset" "firestore" {
  source {
    files {
      name    = "firestore.rules"
      content = var.rules
    }
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_firestore_database.main]
}

resource "google_firebaserules_release" "firestore" {
  name         = "cloud.firestore"
  ruleset_name = google_firebaserules_ruleset.firestore.name

  lifecycle {
    replace_triggered_by = [google_firebaserules_ruleset.firestore]
  }
}
