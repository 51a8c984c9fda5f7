variable "region" {
  type        = string
  description = "Location of the database, for good."
}

variable "indexes" {
  type = list(object({
    collection = string
    fields     = list(object({ field = string, order = string }))
  }))
  description = "Composite indexes, as the code's queries need them."

  validation {
    condition     = alltrue([for index in var.indexes : length(index.fields) == 2])
    error_message = "An index of more than two fields needs a third block in modules/database/main.tf."
  }
}

variable "expiring" {
  type = object({
    collections = set(string)
    field       = string
  })
  description = "Collections whose documents say when they may be forgotten, and the field that says it."
}

variable "unindexed" {
  type        = map(list(string))
  description = "Large fields that no query asks for, by collection: their entries in the index would cost storage only."
}

variable "rules" {
  type        = string
  description = "Text of the security rules: they decide what the dashboard's user may read."
}

variable "backup_retention_days" {
  type        = number
  description = "Days for which daily backups are kept."
}

variable "protected" {
  type        = bool
  description = "Whether it refuses to be destroyed."
}
