variable "project_id" {
  type        = string
  description = "Google Cloud project that holds everything. It should hold nothing else."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is ${var.project_id}; allowed are 6 to 30 small letters, digits and dashes, starting with a letter."
  }
}

variable "region" {
  type        = string
  default     = "asia-northeast1"
  description = "Region of everything, Firestore included, for good. Tokyo is near the exchange and in the cheapest price tier."

  validation {
    condition     = !can(regex("^(us|northamerica)-", var.region))
    error_message = "region is ${var.region}; the exchange refuses requests from the United States (HTTP 451) and serves no customers in Canada: us-* and northamerica-* are not possible, asia-northeast1 is."
  }

  validation {
    condition     = can(regex("^(africa|asia|australia|europe|me|southamerica)-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region is ${var.region}; allowed is a region such as asia-northeast1, neither a zone nor a multi-region."
  }
}

variable "symbols" {
  type        = string
  default     = "BTCUSDT,ETHUSDT"
  description = "Perpetual futures to look at every five minutes (SYMBOLS): names separated by commas, top:50, or all."

  validation {
    condition = can(regex("^(all|top:[1-9][0-9]{0,2})$", var.symbols)) || (
      length(split(",", var.symbols)) <= 600 &&
      alltrue([for symbol in split(",", var.symbols) : can(regex("^[A-Z0-9_]{2,20}$", symbol))])
    )
    error_message = "symbols is ${substr(var.symbols, 0, 40)}; allowed are 1 to 600 names of 2 to 20 capital letters, digits or underscores, separated by commas, top:1 to top:999, or all."
  }

  validation {
    condition     = length(distinct(split(",", var.symbols))) == length(split(",", var.symbols))
    error_message = "symbols names one twice."
  }
}

variable "execute_trades" {
  type        = bool
  default     = false
  description = "Whether orders are sent to the venue (EXECUTE_TRADES). Without it every decision is followed as a shadow trade."
}

variable "venue" {
  type        = string
  default     = "demo"
  description = "Where orders go when execute_trades is true (VENUE): Binance's demo exchange, or Binance with real money. The stored keys must be of the same place."

  validation {
    condition     = contains(["demo", "live"], var.venue)
    error_message = "venue is ${var.venue}; allowed are demo and live. The paper exchange lives in one process, and there are many here."
  }
}

variable "live_trading_consent" {
  type        = string
  default     = ""
  description = "The sentence without which venue = live is refused (LIVE_TRADING_CONSENT)."

  validation {
    condition     = var.venue != "live" || var.live_trading_consent == "I trade real money and I can lose it"
    error_message = "venue is live: set live_trading_consent to the sentence 'I trade real money and I can lose it', or venue to demo."
  }
}

variable "predictor" {
  type        = string
  default     = "baseline"
  description = "Who predicts (PREDICTOR). gemini and ensemble need a key in the secret gemini-api-key."

  validation {
    condition     = contains(["baseline", "gemini", "ensemble"], var.predictor)
    error_message = "predictor is ${var.predictor}; allowed are baseline, gemini and ensemble."
  }
}

variable "vertex" {
  type        = bool
  default     = false
  description = "Whether Gemini is asked on Vertex AI of this project (VERTEX_PROJECT): the worker's identity is then its key, and gemini-api-key is not needed."
}

variable "sentiment" {
  type        = bool
  default     = false
  description = "Whether the sentiment function is deployed and its numbers are told to the model (SENTIMENT=grok). It needs a key in the secret xai-api-key."
}

variable "settings" {
  type        = map(string)
  default     = {}
  description = "Any other setting of docs/settings.md, by its name in capitals, for all functions. No secrets: they belong in Secret Manager."

  validation {
    condition     = length(setsubtract(keys(var.settings), keys(local.code.settings))) == 0
    error_message = "settings names ${join(", ", setsubtract(keys(var.settings), keys(local.code.settings)))}, which is no setting, one of a single machine, or a secret; docs/settings.md lists them, and secrets belong in Secret Manager."
  }

  validation {
    condition     = length(setintersection(keys(var.settings), keys(local.decided))) == 0
    error_message = "settings names ${join(", ", setintersection(keys(var.settings), keys(local.decided)))}, which this configuration decides: use the variable that stands for it, or leave it."
  }

  validation {
    condition = alltrue([
      for key, value in var.settings :
      can(local.code.settings[key].min) ? try(tonumber(value) >= local.code.settings[key].min && tonumber(value) <= local.code.settings[key].max, false) :
      can(local.code.settings[key].choices) ? contains(local.code.settings[key].choices, value) : true
    ])
    error_message = join(" ", [
      for key, value in var.settings :
      can(local.code.settings[key].min) ? (try(tonumber(value) >= local.code.settings[key].min && tonumber(value) <= local.code.settings[key].max, false) ? "" : "settings: ${key} is ${value}, allowed is ${local.code.settings[key].min} to ${local.code.settings[key].max}.") :
      can(local.code.settings[key].choices) ? (contains(local.code.settings[key].choices, value) ? "" : "settings: ${key} is ${value}, allowed is ${join(" or ", local.code.settings[key].choices)}.") : ""
    ])
  }
}

variable "packages" {
  type        = map(string)
  default     = {}
  description = "SHA-256 of each function's zip, by the function's name. `make deploy` builds, uploads and names them; another hash is another deployment, an older one a rollback."

  validation {
    condition     = alltrue([for hash in values(var.packages) : can(regex("^[0-9a-f]{64}$", hash))])
    error_message = "packages must give 64 small hexadecimal digits for each function."
  }
}

variable "paused" {
  type        = bool
  default     = false
  description = "Whether the dispatcher's schedule stands still, so that nothing new is decided. The reconciler goes on: what is open stays watched."
}

variable "static_egress" {
  type        = bool
  default     = false
  description = "Whether what talks to the trading account leaves by one fixed address, for the exchange's allow-list. It costs about 5 USD a month."
}

variable "workers_behind_static_egress" {
  type        = bool
  default     = false
  description = "Whether dispatcher, worker and api leave by the fixed address too: only where the exchange refuses Google's shared addresses."

  validation {
    condition     = var.static_egress || !var.workers_behind_static_egress
    error_message = "workers_behind_static_egress is true and static_egress is false: there is no fixed address then, set static_egress to true."
  }
}

variable "warm_executor" {
  type        = bool
  default     = false
  description = "Whether one executor is always running, so that no intent waits for a cold start. It costs about 10 USD a month."
}

variable "max_instances" {
  type        = map(number)
  default     = {}
  description = "Most instances of a function, by its name, where its usual number does not do."

  validation {
    condition     = length(setsubtract(keys(var.max_instances), ["worker", "executor", "api"])) == 0
    error_message = "max_instances names ${join(", ", setsubtract(keys(var.max_instances), ["worker", "executor", "api"]))}; allowed are worker, executor and api: the others may only ever run once."
  }

  validation {
    condition     = alltrue([for name, number in var.max_instances : number >= 1 && number <= (name == "executor" ? 10 : 100) && floor(number) == number])
    error_message = "max_instances is out of range; allowed is 1 to 10 for the executor and 1 to 100 for worker and api."
  }
}

variable "owner_email" {
  type        = string
  description = "Google account of the owner: the only one who may open the dashboard and call the api."

  validation {
    condition     = can(regex("^[^@\\s'\"\\\\]+@[^@\\s'\"\\\\]+\\.[^@\\s'\"\\\\]+$", var.owner_email))
    error_message = "owner_email is not an e-mail address."
  }
}

variable "alert_email" {
  type        = string
  default     = null
  description = "Where alerts go; without one to owner_email."

  validation {
    condition     = var.alert_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", coalesce(var.alert_email, "none")))
    error_message = "alert_email is not an e-mail address."
  }
}

variable "monthly_budget" {
  type        = number
  default     = 30
  description = "What the project may cost a month before the owner is told, in budget_currency. It warns and stops nothing. It needs billing_account."

  validation {
    condition     = var.monthly_budget >= 1 && var.monthly_budget <= 1000000000 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget is ${var.monthly_budget}; allowed is a whole number from 1 to 1000000000."
  }
}

variable "budget_currency" {
  type        = string
  default     = "USD"
  description = "Currency of the billing account, such as KRW: Google takes a budget in no other."

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.budget_currency))
    error_message = "budget_currency is ${var.budget_currency}; allowed are three capital letters, such as USD or KRW."
  }
}

variable "billing_account" {
  type        = string
  default     = null
  description = "Billing account whose budget alert watches this project, such as 012345-6789AB-CDEF01; without one there is no budget alert."

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", coalesce(var.billing_account, "none")))
    error_message = "billing_account is not of the form 012345-6789AB-CDEF01."
  }
}

variable "log_retention_days" {
  type        = number
  default     = 30
  description = "Days for which logs are kept; 30 are free."

  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 3650
    error_message = "log_retention_days is ${var.log_retention_days}; allowed is 1 to 3650."
  }
}

variable "backup_retention_days" {
  type        = number
  default     = 7
  description = "Days for which the daily backups of Firestore are kept."

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 98
    error_message = "backup_retention_days is ${var.backup_retention_days}; allowed is 1 to 98."
  }
}

variable "runbook_url" {
  type        = string
  default     = null
  description = "Where docs/runbook.md can be read on the web, for the links in the alerts; without it they name the file."

  validation {
    condition     = var.runbook_url == null || can(regex("^https://[^#\\s]+$", coalesce(var.runbook_url, "none")))
    error_message = "runbook_url must be an https:// address without an anchor."
  }
}

variable "repository" {
  type = object({
    owner  = string
    name   = string
    branch = optional(string, "main")
  })
  default     = null
  description = "GitHub repository whose branch Cloud Build tests and, when approved, deploys; without it only `make deploy` does."
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "More labels for everything that can carry them."

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels must be small letters, digits, dashes and underscores, at most 63 of them."
  }
}

variable "protected" {
  type        = bool
  default     = true
  description = "Whether database, secrets and archive refuse to be destroyed. Set it to false only to take everything down (docs/deploy.md)."
}
