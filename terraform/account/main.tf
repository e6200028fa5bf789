# What the account has once, for all environments: images, the pipeline's role, the record of API calls.

terraform {
  backend "s3" {
    key = "account.tfstate"
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "ecommerce", Environment = "account", ManagedBy = "terraform/account" }
  }
}

module "images_key" {
  source = "../modules/key"

  name        = "ecommerce-images"
  description = "Images of the shop"
  account_id  = var.account_id
}

module "registry" {
  source = "../modules/registry"

  name           = "ecommerce"
  account_id     = var.account_id
  key_arn        = module.images_key.arn
  replica_region = var.backup_region
}

module "pipeline" {
  source = "../modules/pipeline"

  name           = "ecommerce-pipeline"
  jenkins_issuer = var.jenkins_issuer
  job            = var.jenkins_job
  repository_arn = module.registry.arn
  cluster_arns   = [for environment in ["staging", "production"] : "arn:aws:eks:${var.region}:${var.account_id}:cluster/ecommerce-${environment}"]
}

module "trail" {
  source = "../modules/trail"

  name        = "ecommerce"
  account_id  = var.account_id
  region      = var.region
  bucket_name = "ecommerce-trail-${var.account_id}"
  watched_buckets = concat(
    ["ecommerce-terraform-state-${var.account_id}"],
    [for what in ["users", "orders"] : "ecommerce-${what}-production-${var.account_id}"],
  )
}

resource "aws_s3_account_public_access_block" "this" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_ebs_encryption_by_default" "this" {
  enabled = true
}

# The bill can be told apart by these; they work from the day they are activated.
resource "aws_ce_cost_allocation_tag" "this" {
  for_each = toset(["Project", "Environment"])

  tag_key = each.key
  status  = "Active"
}
