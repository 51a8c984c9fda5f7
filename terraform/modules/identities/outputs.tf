output "members" {
  description = "Member of each function's identity."
  value       = { for name, account in google_service_account.function : name => account.member }
}

output "emails" {
  description = "E-mail address of each function's identity."
  value       = { for name, account in google_service_account.function : name => account.email }
}

output "caller_members" {
  description = "Member of each caller's identity."
  value       = { for name, account in google_service_account.caller : name => account.member }
}

output "caller_emails" {
  description = "E-mail address of each caller's identity."
  value       = { for name, account in google_service_account.caller : name => account.email }
}

output "build_account" {
  description = "Full name of the identity that builds, once it has its rights."
  value       = google_service_account.build.id
  depends_on  = [google_project_iam_member.build, google_project_iam_member.build_source]
}

output "account_ids" {
  description = "Full names of all identities, for who has to act as them."
  value = merge(
    { for name, account in google_service_account.function : "fn-${name}" => account.name },
    { for name, account in google_service_account.caller : "call-${name}" => account.name },
    { "fn-build" = google_service_account.build.name },
  )
}
