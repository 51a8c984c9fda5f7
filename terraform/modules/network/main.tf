# One fixed address by which requests leave, for the exchange's allow-list.
resource "google_compute_network" "egress" {
  name                    = "withearth-egress"
  auto_create_subnetworks = false
}

# An instance takes an address, and during a deployment two: there are enough for every number that max_instances allows. All
# traffic passes here, so Google's own services must be reachable.
resource "google_compute_subnetwork" "egress" {
  #checkov:skip=CKV_GCP_26:There is no machine in it, and nothing comes in; the NAT logs what fails, flow logs would cost more than all the rest.
  name                     = "withearth-egress"
  network                  = google_compute_network.egress.id
  region                   = var.region
  ip_cidr_range            = "10.8.0.0/23"
  private_ip_google_access = true
}

# Nothing comes in: there is no server, and what is not allowed is refused.
resource "google_compute_firewall" "no_ingress" {
  name      = "withearth-no-ingress"
  network   = google_compute_network.egress.id
  direction = "INGRESS"
  priority  = 65534

  deny {
    protocol = "all"
  }

  source_ranges = ["0.0.0.0/0"]
}

resource "google_compute_address" "egress" {
  name   = "withearth-egress"
  region = var.region
}

resource "google_compute_router" "egress" {
  name    = "withearth-egress"
  network = google_compute_network.egress.id
  region  = var.region
}

resource "google_compute_router_nat" "egress" {
  name                               = "withearth-egress"
  router                             = google_compute_router.egress.name
  region                             = var.region
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.egress.self_link]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.egress.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
