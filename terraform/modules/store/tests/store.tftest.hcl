mock_provider "aws" {
  source = "../../mocks"
}

variables {
  environment      = "production"
  account_id       = "111122223333"
  host             = "shop.example.com"
  dns_zone_id      = "Z0000000000000EXAMPLE"
  admin_role_arns  = ["arn:aws:iam::111122223333:role/platform-engineers"]
  alarm_emails     = ["operations@example.com"]
  backup_region    = "us-west-2"
  nat_in_each_zone = true
  database         = { instance_class = "db.r6g.xlarge", multi_az = true, backup_days = 30 }
  cache            = { node_type = "cache.r6g.large", replicas = 1 }
  broker           = { node_type = "cache.t3.medium", replicas = 1 }
  monthly_budget   = 5500
  tags             = { Environment = "production" }
}

run "roles_secrets_and_buckets_have_the_names_the_cluster_uses" {
  command = apply

  assert {
    condition     = keys(output.role_arns) == ["cluster-autoscaler", "load-balancer-controller", "monitoring-secrets", "secrets-reader", "web", "worker-shipping"]
    error_message = "Six service accounts have a role; the other workers, beat, exporter and jobs have none."
  }

  assert {
    condition     = output.secrets == { application = "ecommerce/production/application", mail = "ecommerce/production/mail", monitoring = "ecommerce/production/monitoring", stripe = "ecommerce/production/stripe" }
    error_message = "Three secrets are written by people."
  }

  assert {
    condition     = output.buckets.users == "ecommerce-users-production-111122223333" && output.buckets.orders == "ecommerce-orders-production-111122223333" && output.settings.AWS_ORDERS_BUCKET == output.buckets.orders && output.settings.AWS_USERS_BUCKET == output.buckets.users && output.settings.AWS_PRODUCTS_BUCKET == "ecommerce-products-production-111122223333"
    error_message = "Buckets."
  }

  assert {
    condition     = output.settings.AWS_PRODUCTS_DOMAIN == "pictures.shop.example.com" && output.database.target == "rds:us-east-1:ecommerce-production"
    error_message = "Pictures and database."
  }
}

run "cache_and_broker_are_two_machines_with_two_tokens" {
  command = apply

  assert {
    condition     = module.cache.id != module.broker.id && keys(jsondecode(aws_secretsmanager_secret_version.redis.secret_string)) == ["CELERY_BROKER_URL", "REDIS_URL"]
    error_message = "Two."
  }

  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.redis.secret_string).REDIS_URL == module.cache.url && jsondecode(aws_secretsmanager_secret_version.redis.secret_string).CELERY_BROKER_URL == module.broker.url
    error_message = "Each under its name."
  }
}

run "everything_that_would_be_lost_has_a_copy_in_the_other_region" {
  command = apply

  assert {
    condition     = keys(output.buckets.copies) == ["orders", "products", "users"]
    error_message = "Files."
  }

  assert {
    condition     = alltrue([for secret in concat(values(aws_secretsmanager_secret.by_hand), [aws_secretsmanager_secret.redis]) : [for replica in secret.replica : replica.region] == ["us-west-2"]])
    error_message = "Secrets."
  }
}

run "somebody_hears_of_a_full_disk_and_of_the_bill" {
  command = apply

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.treat_missing_data == "breaching"])
    error_message = "Every alarm reaches the topic, and silence is an alarm."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["broker-memory-ecommerce-production-broker-001", "broker-memory-ecommerce-production-broker-002", "cache-cpu-ecommerce-production-cache-001", "cache-cpu-ecommerce-production-cache-002", "database-cpu", "database-disk", "database-memory"]
    error_message = "One for each machine."
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "5500" && one(aws_budgets_budget.this.cost_filter).values == tolist(["user:Environment$production"])
    error_message = "The budget of this environment."
  }
}

run "production_without_second_machines_and_protection_is_refused" {
  command = plan

  variables {
    database            = { instance_class = "db.r6g.xlarge", multi_az = false, backup_days = 30 }
    broker              = { node_type = "cache.t3.medium", replicas = 0 }
    deletion_protection = false
  }

  expect_failures = [var.database, var.broker, var.deletion_protection]
}

run "production_with_a_week_of_backups_is_refused" {
  command = plan

  variables {
    database = { instance_class = "db.r6g.xlarge", multi_az = true, backup_days = 7 }
  }

  expect_failures = [var.database]
}

run "what_is_no_host_no_copy_elsewhere_and_nobodys_alarm_is_refused" {
  command = plan

  variables {
    account_id    = "1"
    backup_region = "us-east-1"
    host          = "https://shop.example.com"
    alarm_emails  = []
  }

  expect_failures = [var.account_id, var.backup_region, var.host, var.alarm_emails]
}

run "another_environment_and_another_region_are_refused" {
  command = plan

  variables {
    environment = "test"
    region      = "eu-central-1"
  }

  expect_failures = [var.environment, var.region]
}
