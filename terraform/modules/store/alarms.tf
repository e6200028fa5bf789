# What Prometheus cannot see: the machines under RDS and ElastiCache, and the bill.

resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = module.key.arn
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  database = { DBInstanceIdentifier = module.database.identifier }
  alarms = merge(
    {
      database-disk = {
        why        = "Less than a tenth of the first disk is free and RDS has not enlarged it"
        namespace  = "AWS/RDS"
        metric     = "FreeStorageSpace"
        statistic  = "Minimum"
        worse      = "LessThanThreshold"
        threshold  = var.database.storage_gb.initial * 1024 * 1024 * 1024 / 10
        dimensions = local.database
      }
      database-cpu = {
        why        = "The database has been busy for a quarter of an hour"
        namespace  = "AWS/RDS"
        metric     = "CPUUtilization"
        statistic  = "Average"
        worse      = "GreaterThanThreshold"
        threshold  = 80
        dimensions = local.database
      }
      database-memory = {
        why        = "PostgreSQL will be killed if this goes on"
        namespace  = "AWS/RDS"
        metric     = "FreeableMemory"
        statistic  = "Minimum"
        worse      = "LessThanThreshold"
        threshold  = 256 * 1024 * 1024
        dimensions = local.database
      }
    },
    {
      for member in module.broker.members : "broker-memory-${member}" => {
        why        = "A full broker refuses messages; rows in PostgreSQL wait longer"
        namespace  = "AWS/ElastiCache"
        metric     = "DatabaseMemoryUsagePercentage"
        statistic  = "Maximum"
        worse      = "GreaterThanThreshold"
        threshold  = 70
        dimensions = { CacheClusterId = member }
      }
    },
    {
      for member in module.cache.members : "cache-cpu-${member}" => {
        why        = "Redis has one thread for commands"
        namespace  = "AWS/ElastiCache"
        metric     = "EngineCPUUtilization"
        statistic  = "Average"
        worse      = "GreaterThanThreshold"
        threshold  = 80
        dimensions = { CacheClusterId = member }
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  comparison_operator = each.value.worse
  threshold           = each.value.threshold
  dimensions          = each.value.dimensions
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "this" {
  name         = local.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Environment$%s", var.environment)]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
