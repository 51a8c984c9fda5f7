locals {
  # What the code says of itself: sizes, schedules, topics, indexes, signals, settings. `python -m withearth.generated_docs`.
  code = jsondecode(file("${path.module}/generated.json"))

  labels = merge({ app = "withearth", managed-by = "terraform" }, var.labels)

  functions = {
    dispatcher = "Every five minutes: one message for each symbol."
    worker     = "One decision for each message."
    executor   = "From a decision to a protected position."
    reconciler = "Every minute: records and exchange in agreement, and the views."
    sentiment  = "Every ten minutes: what people write, in numbers."
    api        = "Read-only answers for the owner."
  }
  deployed = { for name, text in local.functions : name => text if name != "sentiment" || var.sentiment }

  scheduled = { for name, cron in local.code.schedules : name => cron if contains(keys(local.deployed), name) }
  stages = {
    # A tick is worth something for two minutes, an intent for three: what is older may be forgotten.
    market-ticks  = { publisher = "dispatcher", consumer = "worker", ordered = false, retention_s = 600, ack_deadline_s = 120, max_attempts = 5, backoff_s = [10, 60] }
    trade-intents = { publisher = "worker", consumer = "executor", ordered = true, retention_s = 600, ack_deadline_s = 120, max_attempts = 5, backoff_s = [10, 60] }
  }

  # Who touches the trading account leaves by the fixed address; who only asks for prices where the exchange wants it so.
  behind_egress = var.static_egress ? concat(["executor", "reconciler"], var.workers_behind_static_egress ? ["dispatcher", "worker", "api"] : []) : []

  secret_readers = {
    binance-api-key    = ["executor", "reconciler"]
    binance-api-secret = ["executor", "reconciler"]
    gemini-api-key     = ["worker"]
    xai-api-key        = var.sentiment ? ["sentiment"] : []
  }
  secret_settings = {
    BINANCE_API_KEY    = "binance-api-key"
    BINANCE_API_SECRET = "binance-api-secret"
    GOOGLE_API_KEY     = "gemini-api-key"
    XAI_API_KEY        = "xai-api-key"
  }

  decided = {
    BINANCE_KEY_ENVIRONMENT = var.venue
    EXECUTE_TRADES          = tostring(var.execute_trades)
    GCS_BUCKET              = "${var.project_id}-withearth-archive"
    LIVE_TRADING_CONSENT    = var.live_trading_consent
    LOG_DIR                 = "/tmp/logs"
    MARKET                  = "live"
    PREDICTOR               = var.predictor
    PROJECT_ID              = var.project_id
    REGION                  = var.region
    SENTIMENT               = var.sentiment ? "grok" : "off"
    STATE_DIR               = "/tmp/withearth"
    STORE                   = "cloud"
    VERTEX_PROJECT          = var.vertex ? var.project_id : ""
    SYMBOLS                 = var.symbols
    VENUE                   = var.venue
  }

  # The same for all functions, so that all show the same mode and refuse the same mistakes. A reference is no secret:
  # who may read what it refers to is decided by Secret Manager.
  environment = merge(var.settings, local.decided, { for key, secret in local.secret_settings : key => "secret://${secret}" })
}

module "services" {
  source = "./modules/services"
  more   = var.vertex ? ["aiplatform"] : []
}

module "identities" {
  source     = "./modules/identities"
  project_id = var.project_id
  functions  = toset(keys(local.deployed))
  called     = toset(concat(keys(local.scheduled), [for stage in local.stages : stage.consumer]))
  database_roles = {
    for name in keys(local.deployed) : name => name == "api" ? "roles/datastore.viewer" : "roles/datastore.user"
  }
  model_users = var.vertex ? ["worker"] : []
  depends_on  = [module.services]
}

module "secrets" {
  source     = "./modules/secrets"
  region     = var.region
  readers    = { for secret, names in local.secret_readers : secret => toset(names) }
  members    = module.identities.members
  protected  = var.protected
  depends_on = [module.services]
}

module "artifacts" {
  source     = "./modules/artifacts"
  project_id = var.project_id
  region     = var.region
  depends_on = [module.services]
}

module "archive" {
  source    = "./modules/archive"
  name      = local.decided["GCS_BUCKET"]
  region    = var.region
  writers   = { for name in ["worker", "reconciler"] : name => module.identities.members[name] }
  protected = var.protected
}

module "database" {
  source    = "./modules/database"
  region    = var.region
  indexes   = local.code.indexes
  expiring  = local.code.expiring
  unindexed = { decisions = ["snapshot", "asked"], intents = ["execution"] }
  # In the file stands an address of nobody.
  rules                 = replace(file("${path.module}/../dashboard/firestore.rules"), "owner@example.invalid", lower(var.owner_email))
  backup_retention_days = var.backup_retention_days
  protected             = var.protected
  depends_on            = [module.services]
}

module "network" {
  count      = var.static_egress ? 1 : 0
  source     = "./modules/network"
  region     = var.region
  depends_on = [module.services]
}

module "function" {
  source   = "./modules/function"
  for_each = local.deployed

  name            = each.key
  description     = each.value
  region          = var.region
  size            = merge(local.code.functions[each.key], { for key, number in var.max_instances : "max_instances" => number if key == each.key })
  min_instances   = each.key == "executor" && var.warm_executor ? 1 : 0
  package_bucket  = module.artifacts.packages_bucket
  package_object  = "functions/${each.key}-${lookup(var.packages, each.key, "not-built")}.zip"
  build_account   = module.identities.build_account
  repository      = module.artifacts.repository
  service_account = module.identities.emails[each.key]
  environment     = local.environment
  ingress         = each.key == "api" ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
  subnetwork      = contains(local.behind_egress, each.key) ? module.network[0].subnetwork : null
  invokers        = each.key == "api" ? { owner = "user:${var.owner_email}" } : { caller = module.identities.caller_members[each.key] }

  # A function starts with its rights in place, or its first calls fail.
  depends_on = [module.services, module.database, module.secrets]
}

module "messaging" {
  source        = "./modules/messaging"
  region        = var.region
  stages        = local.stages
  members       = module.identities.members
  caller_emails = module.identities.caller_emails
  uris          = { for name, function in module.function : name => function.uri }
  pubsub_agent  = module.services.pubsub_agent
}

module "schedules" {
  source = "./modules/schedules"
  region = var.region
  jobs = {
    for name, cron in local.scheduled : name => {
      cron       = cron
      deadline_s = local.code.functions[name].timeout_s + 5
      retries    = name == "dispatcher" ? 2 : 0
      paused     = name != "reconciler" && var.paused
    }
  }
  uris          = { for name, function in module.function : name => function.uri }
  caller_emails = module.identities.caller_emails
}

module "dashboard" {
  source     = "./modules/dashboard"
  project_id = var.project_id
  depends_on = [module.services]
}

module "monitoring" {
  source             = "./modules/monitoring"
  project_id         = var.project_id
  project_number     = module.services.project_number
  functions          = toset(keys(local.deployed))
  signals            = local.code.signals
  alert_email        = coalesce(var.alert_email, var.owner_email)
  runbook            = coalesce(var.runbook_url, "docs/runbook.md")
  billing_account    = var.billing_account
  monthly_budget     = var.monthly_budget
  budget_currency    = var.budget_currency
  log_retention_days = var.log_retention_days
  depends_on         = [module.services]
}

module "pipeline" {
  count           = var.repository == null ? 0 : 1
  source          = "./modules/pipeline"
  project_id      = var.project_id
  region          = var.region
  repository      = var.repository
  billing_account = var.billing_account
  accounts        = module.identities.account_ids
}

check "packages" {
  assert {
    condition     = length(setsubtract(keys(local.deployed), keys(var.packages))) == 0
    error_message = "packages names no zip for ${join(", ", setsubtract(keys(local.deployed), keys(var.packages)))}: an apply will fail there. `make deploy PROJECT=${var.project_id}` builds, uploads and names them."
  }
}
