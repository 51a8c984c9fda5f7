output "address" {
  description = "The address to put on the exchange's allow-list."
  value       = google_compute_address.egress.address
}

output "subnetwork" {
  description = "Subnetwork through which a function leaves by that address."
  value       = google_compute_subnetwork.egress.id
}
