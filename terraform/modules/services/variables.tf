variable "more" {
  type        = list(string)
  description = "Services that not everybody needs."
}
