# Secrets by the names that the cluster's ExternalSecrets ask for. The database's is in its own module.

locals {
  # Written by people (terraform/README.md): Terraform makes the place and never learns the value.
  by_hand = {
    application = "SECRET_KEY, SECRET_KEY_FALLBACKS, JWT_SIGNING_KEY, ELASTICSEARCH_URL, ELASTICSEARCH_CA"
    stripe      = "STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET"
    mail        = "EMAIL_URL"
    monitoring  = "Where Alertmanager reports to"
  }
}

resource "aws_secretsmanager_secret" "by_hand" {
  #checkov:skip=CKV2_AWS_57:Changed by runbook with an overlap of old and new value (decision 13); no function of AWS knows these

  for_each = local.by_hand

  name                    = "ecommerce/${var.environment}/${each.key}"
  description             = each.value
  kms_key_id              = module.key.arn
  recovery_window_in_days = 30

  dynamic "replica" {
    for_each = local.backup_region[*]

    content {
      region     = replica.value.name
      kms_key_id = replica.value.key_arn
    }
  }
}

resource "aws_secretsmanager_secret" "redis" {
  #checkov:skip=CKV2_AWS_57:Changed by runbook with an overlap of old and new value (decision 13); no function of AWS knows these

  name                    = "ecommerce/${var.environment}/redis"
  description             = "REDIS_URL, CELERY_BROKER_URL"
  kms_key_id              = module.key.arn
  recovery_window_in_days = 30

  dynamic "replica" {
    for_each = local.backup_region[*]

    content {
      region     = replica.value.name
      kms_key_id = replica.value.key_arn
    }
  }
}

resource "aws_secretsmanager_secret_version" "redis" {
  secret_id     = aws_secretsmanager_secret.redis.id
  secret_string = jsonencode({ REDIS_URL = module.cache.url, CELERY_BROKER_URL = module.broker.url })
}
