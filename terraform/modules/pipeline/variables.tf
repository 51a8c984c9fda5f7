variable "project_id" {
  type        = string
  description = "Project that is deployed to."
}

variable "region" {
  type        = string
  description = "Region of the trigger."
}

variable "repository" {
  type = object({
    owner  = string
    name   = string
    branch = string
  })
  description = "GitHub repository and branch that are deployed."
}

variable "billing_account" {
  type        = string
  description = "Billing account of the budget alert, null for none."
}

variable "accounts" {
  type        = map(string)
  description = "Full names of the identities that a deployment hands to functions and callers."
}
