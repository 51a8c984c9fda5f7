variable "name" {
  type        = string
  description = "Name of the function, of its entry point and of its Cloud Run service."
}

variable "description" {
  type        = string
  description = "What it does, in one sentence."
}

variable "region" {
  type        = string
  description = "Region it runs in."
}

variable "size" {
  type = object({
    memory_mib    = number
    cpu           = number
    timeout_s     = number
    concurrency   = number
    max_instances = number
  })
  description = "What it gets."
}

variable "min_instances" {
  type        = number
  description = "How many instances are kept running."
}

variable "package_bucket" {
  type        = string
  description = "Bucket of its zip."
}

variable "package_object" {
  type        = string
  description = "Name of its zip."
}

variable "build_account" {
  type        = string
  description = "Full name of the identity that builds it."
}

variable "repository" {
  type        = string
  description = "Full name of the repository for its image."
}

variable "service_account" {
  type        = string
  description = "E-mail address of the identity it runs as."
}

variable "environment" {
  type        = map(string)
  description = "Its settings."
}

variable "ingress" {
  type        = string
  description = "From where it can be reached at all, before anybody's rights are looked at."
}

variable "subnetwork" {
  type        = string
  description = "Subnetwork through which it leaves, null for Google's shared addresses."
}

variable "invokers" {
  type        = map(string)
  description = "Members that may call it, by a name of their own."
}
