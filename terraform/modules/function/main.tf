locals {
  # The platform's server works on four requests for each vCPU, whatever it is sent: the others would wait inside.
  threads = var.size.concurrency > 1 ? { THREADS = tostring(var.size.concurrency) } : {}
}

resource "google_cloudfunctions2_function" "this" {
  name        = var.name
  location    = var.region
  description = var.description

  build_config {
    runtime           = "python313"
    entry_point       = var.name
    service_account   = var.build_account
    docker_repository = var.repository

    source {
      storage_source {
        bucket = var.package_bucket
        object = var.package_object
      }
    }

    # Security fixes of the runtime come with the next deployment, never on their own in the middle of a trade.
    on_deploy_update_policy {}
  }

  service_config {
    available_memory                 = "${var.size.memory_mib}Mi"
    available_cpu                    = tostring(var.size.cpu)
    timeout_seconds                  = var.size.timeout_s
    min_instance_count               = var.min_instances
    max_instance_count               = var.size.max_instances
    max_instance_request_concurrency = var.size.concurrency
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = var.service_account
    environment_variables            = merge(var.environment, local.threads)
    direct_vpc_egress                = var.subnetwork == null ? null : "VPC_EGRESS_ALL_TRAFFIC"

    dynamic "direct_vpc_network_interface" {
      for_each = var.subnetwork == null ? [] : [var.subnetwork]
      content {
        subnetwork = direct_vpc_network_interface.value
      }
    }
  }
}

# The right to call a 2nd generation function is that of its Cloud Run service, which has the same name.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers
  location = var.region
  name     = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value
}
