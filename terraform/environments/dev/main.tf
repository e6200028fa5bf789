# Where something may be broken: small, single machines, deleted when nobody needs it.

terraform {
  backend "s3" {
    key = "dev.tfstate"
  }
}

provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}

locals {
  tags = { Project = "ecommerce", Environment = "dev", ManagedBy = "terraform/environments/dev" }
}

module "store" {
  source = "../../modules/store"

  environment       = "dev"
  account_id        = var.account_id
  host              = var.host
  dns_zone_id       = var.dns_zone_id
  admin_role_arns   = var.admin_role_arns
  api_allowed_cidrs = var.api_allowed_cidrs
  alarm_emails      = var.alarm_emails
  tags              = local.tags

  nat_in_each_zone = false
  general_nodes    = { min = 1, max = 3, instance_types = ["t3.large"] }
  spot_nodes       = { min = 1, max = 2, instance_types = ["t3.large", "t3a.large"] }
  database         = { instance_class = "db.t3.medium", multi_az = false, backup_days = 7 }
  cache            = { node_type = "cache.t3.medium", replicas = 0 }
  broker           = { node_type = "cache.t3.medium", replicas = 0 }
  monthly_budget   = 900
}
