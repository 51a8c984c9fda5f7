# What the owner decides. Copy it to owner.auto.tfvars, which is not committed and beats this file, and change it there:
# these two are examples, and `make deploy` refuses to deploy for them.
project_id  = "your-project-id"
owner_email = "you@example.com"
