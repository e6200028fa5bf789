# The bucket that holds the state of everything else, and its key. Applied first, once.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "ecommerce", Environment = "account", ManagedBy = "terraform/bootstrap" }
  }
}

module "key" {
  source = "../modules/key"

  name        = "ecommerce-state"
  description = "State of Terraform, which knows the tokens of Redis"
  account_id  = var.account_id
}

module "state" {
  source = "../modules/bucket"

  name                 = "ecommerce-terraform-state-${var.account_id}"
  key                  = { arn = module.key.arn }
  former_versions_days = 365
}
