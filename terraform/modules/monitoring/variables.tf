variable "project_id" {
  type        = string
  description = "Project that is watched."
}

variable "project_number" {
  type        = string
  description = "Its number."
}

variable "functions" {
  type        = set(string)
  description = "Names of the functions."
}

variable "signals" {
  type = object({
    field = string
    codes = map(string)
    apart = map(list(string))
  })
  description = "Codes that the functions log, each with its sentence, the field that holds them, and for each code the fields that tell one occasion from another."
}

variable "alert_email" {
  type        = string
  description = "Where alerts go."
}

variable "runbook" {
  type        = string
  description = "Where the runbook can be read."
}

variable "billing_account" {
  type        = string
  description = "Billing account of the budget alert, null for none."
}

variable "monthly_budget" {
  type        = number
  description = "What a month may cost before the owner is told."
}

variable "budget_currency" {
  type        = string
  description = "Currency of the billing account."
}

variable "log_retention_days" {
  type        = number
  description = "Days for which logs are kept."
}
