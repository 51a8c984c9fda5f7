output "dead_subscriptions" {
  description = "Subscriptions in which dead letters wait to be looked at."
  value       = [for subscription in google_pubsub_subscription.dead : subscription.name]
}
