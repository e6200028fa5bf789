# Where people buy: three zones, nothing that is there once, a copy in another region.

terraform {
  backend "s3" {
    key = "production.tfstate"
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
  tags = { Project = "ecommerce", Environment = "production", ManagedBy = "terraform/environments/production" }
}

module "store" {
  source = "../../modules/store"

  environment       = "production"
  account_id        = var.account_id
  host              = var.host
  dns_zone_id       = var.dns_zone_id
  admin_role_arns   = var.admin_role_arns
  api_allowed_cidrs = var.api_allowed_cidrs
  alarm_emails      = var.alarm_emails
  tags              = local.tags

  pipeline_role_arn = "arn:aws:iam::${var.account_id}:role/ecommerce-pipeline"
  backup_region     = "us-west-2"
  nat_in_each_zone  = true
  general_nodes     = { min = 3, max = 10, instance_types = ["t3.large"] }
  spot_nodes        = { min = 1, max = 5, instance_types = ["t3.large", "t3a.large"] }
  database          = { instance_class = "db.r6g.xlarge", multi_az = true, backup_days = 30 }
  cache             = { node_type = "cache.r6g.large", replicas = 1 }
  # A message only wakes a worker; what is to be done is in PostgreSQL.
  broker         = { node_type = "cache.t3.medium", replicas = 1 }
  monthly_budget = 5500
}
