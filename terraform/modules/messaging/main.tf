resource "google_pubsub_topic" "stage" {
  #checkov:skip=CKV_GCP_83:Messages hold public prices and decisions for minutes, no secrets; keys at rest are Google's.
  for_each = var.stages
  name     = each.key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic" "dead" {
  #checkov:skip=CKV_GCP_83:Messages hold public prices and decisions for minutes, no secrets; keys at rest are Google's.
  for_each = var.stages
  name     = "${each.key}-dead"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.stages
  topic    = google_pubsub_topic.stage[each.key].name
  role     = "roles/pubsub.publisher"
  member   = var.members[each.value.publisher]
}

resource "google_pubsub_subscription" "push" {
  for_each                   = var.stages
  name                       = "${each.key}-${each.value.consumer}"
  topic                      = google_pubsub_topic.stage[each.key].id
  ack_deadline_seconds       = each.value.ack_deadline_s
  message_retention_duration = "${each.value.retention_s}s"
  enable_message_ordering    = each.value.ordered

  push_config {
    push_endpoint = var.uris[each.value.consumer]

    oidc_token {
      service_account_email = var.caller_emails[each.value.consumer]
      audience              = var.uris[each.value.consumer]
    }
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = each.value.max_attempts
  }

  retry_policy {
    minimum_backoff = "${each.value.backoff_s[0]}s"
    maximum_backoff = "${each.value.backoff_s[1]}s"
  }

  # Without this a subscription that rests for 31 days is deleted.
  expiration_policy {
    ttl = ""
  }

  # Without its grants Pub/Sub goes on delivering for ever, and says nothing.
  depends_on = [google_pubsub_topic_iam_member.dead_publisher]
}

# A dead letter without a subscription would vanish.
resource "google_pubsub_subscription" "dead" {
  for_each                   = var.stages
  name                       = "${each.key}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = "1209600s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "dead_publisher" {
  for_each = var.stages
  topic    = google_pubsub_topic.dead[each.key].name
  role     = "roles/pubsub.publisher"
  member   = var.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_subscriber" {
  for_each     = var.stages
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
