variable "project_id" {
  type        = string
  description = "Project, whose name makes the site's unique."
}
