variable "project_id" {
  type        = string
  description = "Project, whose name makes the bucket's unique."
}

variable "region" {
  type        = string
  description = "Region of bucket and images."
}
