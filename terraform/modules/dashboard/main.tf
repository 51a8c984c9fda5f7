# A project that has become a Firebase project stays one.
resource "google_firebase_project" "this" {
  provider = google-beta
  project  = var.project_id
}

resource "google_firebase_web_app" "dashboard" {
  provider     = google-beta
  project      = google_firebase_project.this.project
  display_name = "withEarth dashboard"
}

# The project's own site, whether Firebase has made it already or not: signing in passes through its address, and its name is the
# project's, which nobody else has. Firebase does not let go of it.
resource "google_firebase_hosting_site" "dashboard" {
  provider        = google-beta
  project         = google_firebase_project.this.project
  site_id         = var.project_id
  app_id          = google_firebase_web_app.dashboard.app_id
  deletion_policy = "ABANDON"
}

# Signing in is possible on our own site only. Google as the way to sign in is switched on by hand (docs/deploy.md).
resource "google_identity_platform_config" "sign_in" {
  project = google_firebase_project.this.project

  authorized_domains = [
    "${google_firebase_hosting_site.dashboard.site_id}.web.app",
    "${google_firebase_hosting_site.dashboard.site_id}.firebaseapp.com",
  ]

  sign_in {
    anonymous {
      enabled = false
    }
  }
}
