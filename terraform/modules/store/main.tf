# One environment of the shop, whole; terraform/environments says how large each is.

locals {
  name = "ecommerce-${var.environment}"
  # What the cluster's pods are to databases and caches.
  pods = { pods = module.cluster.security_group_id }
  # Where the copies are, for all that keeps one.
  backup_region = var.backup_region == null ? null : { name = var.backup_region, key_arn = module.key.replica_arn }
}

module "key" {
  source = "../key"

  name           = local.name
  description    = "Data of the shop, ${var.environment}"
  account_id     = var.account_id
  replica_region = var.backup_region
  services = {
    "logs.${var.region}.amazonaws.com" = {
      test  = "ArnLike"
      key   = "kms:EncryptionContext:aws:logs:arn"
      value = "arn:aws:logs:${var.region}:${var.account_id}:log-group:*"
    }
    # Alarms go to an encrypted topic.
    "cloudwatch.amazonaws.com" = { test = "StringEquals", key = "aws:SourceAccount", value = var.account_id }
  }
}

module "network" {
  source = "../network"

  name                 = local.name
  region               = var.region
  nat_in_each_zone     = var.nat_in_each_zone
  interface_endpoints  = var.interface_endpoints
  flow_logs_bucket_arn = module.logs.arn
}

module "cluster" {
  source = "../cluster"

  name                = local.name
  account_id          = var.account_id
  region              = var.region
  kubernetes_version  = var.kubernetes_version
  vpc_id              = module.network.vpc_id
  private_subnet_ids  = module.network.private_subnet_ids
  api_allowed_cidrs   = var.api_allowed_cidrs
  admin_role_arns     = var.admin_role_arns
  deployer_role_arns  = var.pipeline_role_arn[*]
  general             = var.general_nodes
  spot                = var.spot_nodes
  deletion_protection = var.deletion_protection
  tags                = var.tags
}

module "database" {
  source = "../database"

  name                      = local.name
  account_id                = var.account_id
  region                    = var.region
  engine_version            = var.postgresql_version
  instance_class            = var.database.instance_class
  multi_az                  = var.database.multi_az
  backup_days               = var.database.backup_days
  storage_gb                = var.database.storage_gb
  deletion_protection       = var.deletion_protection
  backup_region             = local.backup_region
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  function_subnet_ids       = module.network.private_subnet_ids
  client_security_group_ids = local.pods
  key_arn                   = module.key.arn
  secret_name               = "ecommerce/${var.environment}/database"
}

module "cache" {
  source = "../redis"

  name                      = "${local.name}-cache"
  description               = "Cache: may forget, and may be lost"
  node_type                 = var.cache.node_type
  replicas                  = var.cache.replicas
  when_full                 = "allkeys-lru"
  token_version             = var.redis_token_version
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  client_security_group_ids = local.pods
  key_arn                   = module.key.arn
}

module "broker" {
  source = "../redis"

  name                      = "${local.name}-broker"
  description               = "Broker of Celery: evicts nothing"
  node_type                 = var.broker.node_type
  replicas                  = var.broker.replicas
  when_full                 = "noeviction"
  snapshot_days             = 1
  token_version             = var.redis_token_version
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  client_security_group_ids = local.pods
  key_arn                   = module.key.arn
}

module "firewall" {
  source = "../firewall"

  name                  = local.name
  requests_in_5_minutes = var.requests_in_5_minutes
  key_arn               = module.key.arn
}
