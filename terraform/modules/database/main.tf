# PostgreSQL on RDS: private, encrypted, TLS only, continuously backed up.

locals {
  major = split(".", var.engine_version)[0]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets without a way out"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "PostgreSQL"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${local.major}"
  description = "TLS only, limits and logs"

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl"            = "1"
      "ssl_min_protocol_version" = "TLSv1.2"
      # A forgotten transaction holds locks and keeps dead rows alive.
      "idle_in_transaction_session_timeout" = "60000"
      # The application sets its own, shorter; this one is for everybody else.
      "statement_timeout"           = "300000"
      "lock_timeout"                = "60000"
      "log_min_duration_statement"  = "1000"
      "log_lock_waits"              = "1"
      "log_connections"             = "1"
      "log_disconnections"          = "1"
      "log_temp_files"              = "10240"
      "log_autovacuum_min_duration" = "10000"
      # Volumes of solid state: an index of a small table is worth reading.
      "random_page_cost" = "1.1"
      # Statements carry addresses and names of people: parameters stay out of the log.
      "log_parameter_max_length"          = "0"
      "log_parameter_max_length_on_error" = "0"
    }

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  parameter {
    name         = "shared_preload_libraries"
    value        = "pg_stat_statements"
    apply_method = "pending-reboot"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role" "monitoring" {
  name        = "${var.name}-database-monitoring"
  description = "RDS reports on the machine of ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# RDS would make them unencrypted and keep them for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = 365
  kms_key_id        = var.key_arn
}

#trivy:ignore:AVD-AWS-0176 The shop logs in with a password that changes monthly (decision 13)
resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:The shop logs in with a password that changes monthly (decision 13); a token of IAM is good for 15 minutes and Django keeps its URL

  identifier         = var.name
  engine             = "postgres"
  engine_version     = var.engine_version
  instance_class     = var.instance_class
  multi_az           = var.multi_az
  ca_cert_identifier = "rds-ca-rsa2048-g1"

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb.initial
  max_allocated_storage = var.storage_gb.largest
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  # This password is RDS's own affair: made, kept and changed weekly by it. The shop does not use it.
  username                      = "store_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  parameter_group_name   = aws_db_parameter_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false

  # With it come the logs of all changes: any second of these days, up to five minutes ago.
  backup_retention_period   = var.backup_days
  backup_window             = "07:00-08:00"
  maintenance_window        = "sun:08:30-sun:09:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-last"

  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  apply_immediately           = false

  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.key_arn
  performance_insights_retention_period = 7
  enabled_cloudwatch_logs_exports       = keys(aws_cloudwatch_log_group.this)

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}

# A copy of backups and logs of changes in another region, restorable there to any second.
resource "aws_db_instance_automated_backups_replication" "this" {
  count = var.backup_region == null ? 0 : 1

  region                 = var.backup_region.name
  source_db_instance_arn = aws_db_instance.this.arn
  kms_key_id             = var.backup_region.key_arn
  retention_period       = var.backup_days
}
