variable "region" {
  type        = string
  description = "Region of the address."
}
