variable "name" {
  type        = string
  description = "Name of the bucket."
}

variable "region" {
  type        = string
  description = "Region of the bucket."
}

variable "writers" {
  type        = map(string)
  description = "Members that read and write the archive, by their function's name."
}

variable "protected" {
  type        = bool
  description = "Whether it refuses to be destroyed."
}
