# The shop's own login, changed every month: two users take turns, so the one in use always works.

resource "aws_secretsmanager_secret" "this" {
  name                    = var.secret_name
  description             = "The shop's login at PostgreSQL"
  kms_key_id              = var.key_arn
  recovery_window_in_days = 30

  dynamic "replica" {
    for_each = var.backup_region[*]

    content {
      region     = replica.value.name
      kms_key_id = replica.value.key_arn
    }
  }
}

# The first password only; roles.sql gives it to the user. Rotation makes all others, unseen by Terraform.
data "aws_secretsmanager_random_password" "first" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "first" {
  secret_id = aws_secretsmanager_secret.this.id
  secret_string = jsonencode({
    engine    = "postgres"
    host      = aws_db_instance.this.address
    port      = aws_db_instance.this.port
    dbname    = "store"
    username  = "store"
    password  = data.aws_secretsmanager_random_password.first.random_password
    masterarn = one(aws_db_instance.this.master_user_secret).secret_arn
  })

  lifecycle {
    ignore_changes = [secret_string, version_stages]
  }
}

resource "aws_security_group" "rotation" {
  #checkov:skip=CKV2_AWS_5:The function that carries it is made by the stack below, which gets its id as a parameter

  name        = "${var.name}-rotation"
  description = "The function that changes the login"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-rotation" }
}

resource "aws_vpc_security_group_egress_rule" "rotation_database" {
  security_group_id            = aws_security_group.rotation.id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

#trivy:ignore:AVD-AWS-0104 AWS's own interfaces have no fixed addresses; HTTPS only
resource "aws_vpc_security_group_egress_rule" "rotation_https" {
  security_group_id = aws_security_group.rotation.id
  description       = "Secrets Manager and RDS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "rotation" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from the function that changes the login"
  referenced_security_group_id = aws_security_group.rotation.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# AWS's own function for two users taking turns.
resource "aws_serverlessapplicationrepository_cloudformation_stack" "rotation" {
  name           = "${var.name}-rotation"
  application_id = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManagerRDSPostgreSQLRotationMultiUser"
  capabilities   = ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"]
  parameters = {
    functionName          = "${var.name}-rotation"
    endpoint              = "https://secretsmanager.${var.region}.amazonaws.com"
    vpcSubnetIds          = join(",", var.function_subnet_ids)
    vpcSecurityGroupIds   = aws_security_group.rotation.id
    kmsKeyArn             = var.key_arn
    masterSecretArn       = one(aws_db_instance.this.master_user_secret).secret_arn
    masterSecretKmsKeyArn = var.key_arn
    # Letters and digits are the same in every URL, shell and file.
    excludeCharacters = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
  }
}

resource "aws_secretsmanager_secret_rotation" "this" {
  secret_id           = aws_secretsmanager_secret.this.id
  rotation_lambda_arn = aws_serverlessapplicationrepository_cloudformation_stack.rotation.outputs["RotationLambdaARN"]
  # The users do not exist yet: roles.sql makes them.
  rotate_immediately = false

  rotation_rules {
    schedule_expression = "cron(0 9 1 * ? *)"
    duration            = "2h"
  }
}
