variable "region" {
  type        = string
  description = "Region of the jobs."
}

variable "jobs" {
  type = map(object({
    cron       = string
    deadline_s = number
    retries    = number
    paused     = bool
  }))
  description = "When each function is called, by its name; times are UTC, as bars are."
}

variable "uris" {
  type        = map(string)
  description = "Address of each function that is called."
}

variable "caller_emails" {
  type        = map(string)
  description = "E-mail address of the identity that calls each function."
}
