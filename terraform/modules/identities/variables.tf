variable "functions" {
  type        = set(string)
  description = "Names of the functions."
}

variable "called" {
  type        = set(string)
  description = "Functions that a schedule or a subscription calls: each has a caller of its own."
}

variable "database_roles" {
  type        = map(string)
  description = "Role of each function on the database."
}

variable "model_users" {
  type        = set(string)
  description = "Functions that may ask models on Vertex AI."
}

variable "project_id" {
  type        = string
  description = "Project of the database."
}
