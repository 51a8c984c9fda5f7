variable "readers" {
  type        = map(set(string))
  description = "Names of the functions that may read each secret, by the secret's name."
}

variable "members" {
  type        = map(string)
  description = "Member of each function's identity."
}

variable "region" {
  type        = string
  description = "The only region in which the secrets are kept."
}

variable "protected" {
  type        = bool
  description = "Whether it refuses to be destroyed."
}
