# The same tests pass with the real provider, without credentials: nothing here reaches Google.
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_service_account" {
    defaults = {
      id     = "projects/demo-project/serviceAccounts/mock@demo-project.iam.gserviceaccount.com"
      name   = "projects/demo-project/serviceAccounts/mock@demo-project.iam.gserviceaccount.com"
      email  = "mock@demo-project.iam.gserviceaccount.com"
      member = "serviceAccount:mock@demo-project.iam.gserviceaccount.com"
    }
  }
  mock_resource "google_cloudfunctions2_function" {
    defaults = {
      service_config = { uri = "https://mock-an.a.run.app" }
    }
  }
}

mock_provider "google-beta" {
  mock_resource "google_project_service_identity" {
    defaults = { member = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com" }
  }
}

variables {
  project_id  = "demo-project"
  owner_email = "owner@example.com"
  packages = {
    dispatcher = "0000000000000000000000000000000000000000000000000000000000000001"
    worker     = "0000000000000000000000000000000000000000000000000000000000000002"
    executor   = "0000000000000000000000000000000000000000000000000000000000000003"
    reconciler = "0000000000000000000000000000000000000000000000000000000000000004"
    api        = "0000000000000000000000000000000000000000000000000000000000000005"
  }
}

run "trades_nothing_unless_asked" {
  command = apply

  assert {
    condition     = local.environment["EXECUTE_TRADES"] == "false" && local.environment["VENUE"] == "demo"
    error_message = "EXECUTE_TRADES must be false unless the owner sets it."
  }
  assert {
    condition     = !contains(keys(local.deployed), "sentiment") && output.egress_address == null
    error_message = "What costs extra must be asked for."
  }
  assert {
    condition     = anytrue([for step in output.next_steps : strcontains(step, "Nothing is traded")])
    error_message = "The outputs must say that nothing is traded."
  }
}

run "everything_switched_on" {
  command = apply

  variables {
    execute_trades               = true
    predictor                    = "gemini"
    sentiment                    = true
    static_egress                = true
    workers_behind_static_egress = true
    warm_executor                = true
    billing_account              = "012345-6789AB-CDEF01"
    repository                   = { owner = "somebody", name = "withearth" }
    settings                     = { MIN_PROB = "0.65", ENTRY_MODE = "MARKET" }
    max_instances                = { executor = 2 }
    packages = {
      dispatcher = "0000000000000000000000000000000000000000000000000000000000000001"
      worker     = "0000000000000000000000000000000000000000000000000000000000000002"
      executor   = "0000000000000000000000000000000000000000000000000000000000000003"
      reconciler = "0000000000000000000000000000000000000000000000000000000000000004"
      api        = "0000000000000000000000000000000000000000000000000000000000000005"
      sentiment  = "0000000000000000000000000000000000000000000000000000000000000006"
    }
  }

  assert {
    condition     = output.egress_address != null
    error_message = "A fixed address was asked for."
  }
  assert {
    condition     = local.environment["MIN_PROB"] == "0.65" && local.environment["EXECUTE_TRADES"] == "true"
    error_message = "Settings must reach the functions."
  }
  assert {
    condition     = length([for step in output.next_steps : step if strcontains(step, "secrets versions add")]) == 3
    error_message = "The outputs must name every key that has to be stored."
  }
}

run "no_currency_that_cannot_be" {
  command = plan
  variables {
    budget_currency = "won"
  }
  expect_failures = [var.budget_currency]
}

run "no_region_the_exchange_refuses" {
  command = plan
  variables {
    region = "us-central1"
  }
  expect_failures = [var.region]
}

run "no_canadian_region" {
  command = plan
  variables {
    region = "northamerica-northeast1"
  }
  expect_failures = [var.region]
}

run "no_setting_out_of_range" {
  command = plan
  variables {
    settings = { MIN_PROB = "1.5" }
  }
  expect_failures = [var.settings]
}

run "no_setting_that_does_not_exist" {
  command = plan
  variables {
    settings = { MIN_PROBABILITY = "0.6" }
  }
  expect_failures = [var.settings]
}

run "no_setting_of_one_machine" {
  command = plan
  variables {
    settings = { PORT = "9000" }
  }
  expect_failures = [var.settings]
}

run "no_secret_among_the_settings" {
  command = plan
  variables {
    settings = { BINANCE_API_SECRET = "not-here" }
  }
  expect_failures = [var.settings]
}

run "no_second_word_on_what_variables_decide" {
  command = plan
  variables {
    settings = { EXECUTE_TRADES = "true" }
  }
  expect_failures = [var.settings]
}

run "no_real_money_without_consent" {
  command = plan
  variables {
    execute_trades = true
    venue          = "live"
  }
  expect_failures = [var.live_trading_consent]
}

run "no_symbols_that_cannot_be" {
  command = plan
  variables {
    symbols = "BTCUSDT,,ETHUSDT"
  }
  expect_failures = [var.symbols]
}

run "no_second_reconciler" {
  command = plan
  variables {
    max_instances = { reconciler = 2 }
  }
  expect_failures = [var.max_instances]
}

run "no_workers_behind_an_address_that_is_not_there" {
  command = plan
  variables {
    workers_behind_static_egress = true
  }
  expect_failures = [var.workers_behind_static_egress]
}

run "no_plan_without_packages_goes_unnoticed" {
  command = plan
  variables {
    packages = {}
  }
  expect_failures = [check.packages]
}
