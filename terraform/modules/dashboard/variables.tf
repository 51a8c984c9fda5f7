variable "project_id" {
  type        = string
  description = "Project, whose name is the site's too."
}
