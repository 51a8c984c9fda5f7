output "dashboard_url" {
  description = "Address of the dashboard."
  value       = module.dashboard.url
}

output "dashboard_site" {
  description = "Name of the Hosting site to which the dashboard is deployed."
  value       = module.dashboard.site_id
}

output "api_url" {
  description = "Address of the api, for the owner only."
  value       = module.function["api"].uri
}

output "environment" {
  description = "What every function is told, as a shell reads it: the command line then works on this installation. It holds no secret."
  value       = join("", [for key, value in local.environment : "${key}='${value}'\n"])
}

output "packages_bucket" {
  description = "Bucket to which the zips are uploaded."
  value       = module.artifacts.packages_bucket
}

output "egress_address" {
  description = "Address to put on the exchange's allow-list; null without static_egress."
  value       = one(module.network[*].address)
}

output "dead_letter_subscriptions" {
  description = "Where dead letters wait to be looked at."
  value       = module.messaging.dead_subscriptions
}

output "next_steps" {
  description = "What is left to do by hand."
  value = compact([
    var.predictor == "baseline" || var.vertex ? "" : "Store the model's key:  gcloud secrets versions add gemini-api-key --project ${var.project_id} --data-file=-",
    var.sentiment ? "Store xAI's key:  gcloud secrets versions add xai-api-key --project ${var.project_id} --data-file=-" : "",
    var.execute_trades ? "Store the exchange's keys, without the right to withdraw:  gcloud secrets versions add binance-api-key --project ${var.project_id} --data-file=-  and the same for binance-api-secret" : "Nothing is traded: every decision is followed as a shadow trade. execute_trades = true changes that.",
    var.static_egress ? "Allow only this address for the exchange's key:  ${module.network[0].address}" : "",
    "Switch on Google as a way to sign in:  https://console.firebase.google.com/project/${var.project_id}/authentication/providers",
    "See that all is well:  withearth doctor",
    "Open the dashboard as ${var.owner_email}:  ${module.dashboard.url}",
  ])
}
