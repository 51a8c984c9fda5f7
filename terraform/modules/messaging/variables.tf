variable "region" {
  type        = string
  description = "The only region in which messages are stored."
}

variable "stages" {
  type = map(object({
    publisher      = string
    consumer       = string
    ordered        = bool
    retention_s    = number
    ack_deadline_s = number
    max_attempts   = number
    backoff_s      = tuple([number, number])
  }))
  description = "Who publishes each topic, who receives it, and how patiently."
}

variable "members" {
  type        = map(string)
  description = "Member of each function's identity."
}

variable "caller_emails" {
  type        = map(string)
  description = "E-mail address of the identity that calls each function."
}

variable "uris" {
  type        = map(string)
  description = "Address of each function that receives messages."
}

variable "pubsub_agent" {
  type        = string
  description = "Member that stands for Pub/Sub itself."
}
