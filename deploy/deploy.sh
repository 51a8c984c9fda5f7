#!/bin/sh
# Deploys withEarth into a Google Cloud project, step by step. Every step may be repeated.
#
#   deploy/deploy.sh PROJECT [--dry-run] [--yes] [--only STEP[,STEP…]]
#
# --dry-run prints every command and runs none. --yes applies the plan without asking. --only runs the named steps:
# check state choices packages dashboard init artifacts upload plan settings apply hosting keep doctor
set -eu
cd "$(dirname "$0")/.."

FUNCTIONS="dispatcher worker executor reconciler sentiment api"
STEPS="check state choices packages dashboard init artifacts upload plan settings apply hosting keep doctor"
PLACEHOLDER="you@example.com"

project="" dry_run=false yes=false only="$STEPS"

refuse() { echo "deploy: $1" >&2; exit 2; }
say() { printf '\n== %s\n' "$1"; }

run() { # prints a command, and runs it
  printf '+ %s\n' "$*"
  $dry_run || "$@"
}

while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry_run=true ;;
    --yes) yes=true ;;
    --only) [ $# -gt 1 ] || refuse "--only needs steps, allowed are: $STEPS"; only=$(echo "$2" | tr ',' ' '); shift ;;
    -*) refuse "$1 is no option: allowed are --dry-run, --yes and --only" ;;
    *) [ -z "$project" ] || refuse "there are two projects, $project and $1: name one"; project=$1 ;;
  esac
  shift
done
[ -n "$project" ] || refuse "no project is named: make deploy PROJECT=your-project-id"
echo "$project" | grep -Eq '^[a-z][a-z0-9-]{4,28}[a-z0-9]$' ||
  refuse "PROJECT is $project; allowed are 6 to 30 small letters, digits and dashes, starting with a letter"
for step in $only; do
  echo " $STEPS " | grep -q " $step " || refuse "$step is no step: allowed are $STEPS"
done

state_bucket="$project-withearth-state"
packages_bucket="$project-withearth-packages"
terraform="terraform -chdir=terraform"
variables="-var project_id=$project"

needs() { # a tool, and where it comes from
  $dry_run || command -v "$1" >/dev/null || refuse "$1 is not on the path: $2"
}

digest() { # of a file, also on a Mac
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

step_check() {
  say "The checkout holds what is committed, and the owner has chosen"
  # A rollback deploys a commit again: what is not committed could not come back.
  if [ -n "$(git status --porcelain)" ]; then
    $dry_run || refuse "the checkout has changes: commit or stash them, then deploy"
    echo "The checkout has changes: a deployment would be refused."
  fi
  needs gcloud "https://cloud.google.com/sdk/docs/install"
  needs terraform "https://developer.hashicorp.com/terraform/install"
  needs firebase "npm install -g firebase-tools"
  needs npm "https://nodejs.org"
}

step_state() {
  say "The bucket that keeps Terraform's state, with its older versions"
  needs gcloud "https://cloud.google.com/sdk/docs/install"
  run gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com storage.googleapis.com \
    --project "$project"
  printf '+ gcloud storage buckets describe gs://%s --project %s\n' "$state_bucket" "$project"
  if $dry_run || ! gcloud storage buckets describe "gs://$state_bucket" --project "$project" >/dev/null 2>&1; then
    run gcloud storage buckets create "gs://$state_bucket" --project "$project" \
      --location asia-northeast1 --uniform-bucket-level-access --public-access-prevention
  fi
  run gcloud storage buckets update "gs://$state_bucket" --versioning
}

# The owner's choices are not committed: a deployment by hand keeps them beside the state, Cloud Build takes them from there.
step_choices() {
  say "The owner's choices"
  if [ ! -f terraform/owner.auto.tfvars ] && ! $dry_run; then
    run gcloud storage cp "gs://$state_bucket/owner.auto.tfvars" terraform/owner.auto.tfvars ||
      refuse "there is no terraform/owner.auto.tfvars: copy terraform/terraform.tfvars to it and change it"
  fi
  $dry_run || ! grep -q "$PLACEHOLDER" terraform/owner.auto.tfvars ||
    refuse "owner_email in terraform/owner.auto.tfvars is $PLACEHOLDER: set it to your Google account"
}

step_packages() {
  say "One zip for each function, the same for the same commit"
  # Without the arguments of the make that called.
  run make packages ARGS=
}

step_dashboard() {
  say "The dashboard"
  run npm --prefix dashboard ci
  run npm --prefix dashboard run build
}

step_init() {
  say "Terraform, with its state in the bucket"
  needs terraform "https://developer.hashicorp.com/terraform/install"
  run $terraform init -input=false -reconfigure "-backend-config=bucket=$state_bucket"
}

step_artifacts() {
  say "What has to be there before the rest: the bucket for the zips, and the counters, which alerts find only minutes later"
  counters=""
  for name in signal errors schedule_failures; do
    counters="$counters -target=module.monitoring.google_logging_metric.$name"
  done
  run $terraform apply -input=false -auto-approve -target=module.artifacts $counters $variables
}

step_upload() {
  say "Each zip under its hash: what is there already is left"
  listed=""
  for name in $FUNCTIONS; do
    hash=HASH
    if ! $dry_run; then
      [ -f "dist/$name.zip" ] || refuse "there is no dist/$name.zip: run make packages"
      hash=$(digest "dist/$name.zip")
    fi
    run gcloud storage cp --no-clobber "dist/$name.zip" "gs://$packages_bucket/functions/$name-$hash.zip"
    listed="$listed${listed:+, }\"$name\": \"$hash\""
  done
  $dry_run || printf '{"packages": {%s}}\n' "$listed" >terraform/packages.auto.tfvars.json
}

step_plan() {
  say "What would change"
  run $terraform plan -input=false -out=withearth.tfplan $variables
  printf '+ %s show -json withearth.tfplan >dist/plan.json\n' "$terraform"
  $dry_run || $terraform show -json withearth.tfplan >dist/plan.json
}

step_settings() {
  say "Would each function start with its settings"
  run .venv/bin/python -m withearth.deployment dist/plan.json
}

step_apply() {
  say "The change"
  if ! $yes && ! $dry_run; then
    [ -t 0 ] || refuse "nobody can be asked whether to apply the plan: give --yes"
    printf 'Apply this plan to %s? Type yes: ' "$project"
    read -r answer
    [ "$answer" = yes ] || refuse "nothing was changed"
  fi
  run $terraform apply -input=false withearth.tfplan
  printf '+ %s output -raw dashboard_site >dist/dashboard-site\n' "$terraform"
  $dry_run || $terraform output -raw dashboard_site >dist/dashboard-site
}

step_hosting() {
  say "The dashboard, on Firebase Hosting"
  site=SITE
  if ! $dry_run; then
    [ -f dist/dashboard-site ] || refuse "there is no dist/dashboard-site: the step apply writes it"
    site=$(cat dist/dashboard-site)
  fi
  run firebase target:apply hosting dashboard "$site" --project "$project" --config dashboard/firebase.json
  run firebase deploy --only hosting:dashboard --project "$project" --config dashboard/firebase.json --non-interactive
}

step_keep() {
  say "The choices, beside the state, for Cloud Build and for the next machine"
  run gcloud storage cp terraform/owner.auto.tfvars "gs://$state_bucket/owner.auto.tfvars"
}

step_doctor() {
  say "What is left to do"
  run $terraform output next_steps
  say "Is all well?"
  printf '+ %s output -raw environment >dist/cloud.env\n' "$terraform"
  $dry_run || $terraform output -raw environment >dist/cloud.env
  # With the settings of the functions, and the rights of who asks.
  run sh -c 'set -a; . dist/cloud.env; .venv/bin/withearth doctor'
}

for step in $only; do "step_$step"; done
