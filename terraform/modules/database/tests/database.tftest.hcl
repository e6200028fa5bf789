mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                      = "ecommerce-test"
  account_id                = "111122223333"
  region                    = "us-east-1"
  instance_class            = "db.r6g.xlarge"
  multi_az                  = true
  backup_days               = 30
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-a", "subnet-b", "subnet-c"]
  function_subnet_ids       = ["subnet-d"]
  client_security_group_ids = { pods = "sg-pods" }
  key_arn                   = "arn:aws:kms:us-east-1:111122223333:key/mock"
  secret_name               = "ecommerce/test/database"
}

run "data_is_encrypted_where_it_lies_and_on_its_way" {
  command = plan

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.key_arn
    error_message = "Disk and backups."
  }

  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "TLS only."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.key_arn]) && aws_db_instance.this.performance_insights_kms_key_id == var.key_arn
    error_message = "Logs and statistics, too."
  }
}

run "any_second_of_thirty_days_can_be_restored" {
  command = plan

  assert {
    condition     = aws_db_instance.this.backup_retention_period == 30 && !aws_db_instance.this.delete_automated_backups
    error_message = "Backups, also after the instance is gone."
  }

  assert {
    condition     = aws_db_instance.this.multi_az
    error_message = "A second machine."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "Nobody deletes it by one command, and then a snapshot is left."
  }
}

run "a_copy_of_the_backups_is_in_the_other_region" {
  command = apply

  variables {
    backup_region = { name = "us-west-2", key_arn = "arn:aws:kms:us-west-2:111122223333:key/mock" }
  }

  assert {
    condition     = aws_db_instance_automated_backups_replication.this[0].region == "us-west-2" && aws_db_instance_automated_backups_replication.this[0].retention_period == 30 && aws_db_instance_automated_backups_replication.this[0].source_db_instance_arn == aws_db_instance.this.arn
    error_message = "As long as at home."
  }

  assert {
    condition     = [for replica in aws_secretsmanager_secret.this.replica : replica.region] == ["us-west-2"]
    error_message = "And the login."
  }
}

run "no_copy_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_db_instance_automated_backups_replication.this) == 0
    error_message = "None."
  }
}

run "only_named_groups_connect" {
  command = apply

  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "No public address."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.clients : [rule.referenced_security_group_id, rule.from_port, rule.to_port]] == [["sg-pods", 5432, 5432]]
    error_message = "PostgreSQL from the pods."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.rotation.referenced_security_group_id == aws_security_group.rotation.id
    error_message = "And from the function that changes the login."
  }
}

run "disk_grows_from_100_to_500_gb" {
  command = plan

  assert {
    condition     = aws_db_instance.this.allocated_storage == 100 && aws_db_instance.this.max_allocated_storage == 500
    error_message = "The document's sizes."
  }
}

run "the_shops_login_changes_by_itself_and_terraform_leaves_it_alone" {
  command = apply

  assert {
    condition     = aws_secretsmanager_secret_rotation.this.rotation_lambda_arn == "arn:aws:lambda:us-east-1:111122223333:function:mock" && !aws_secretsmanager_secret_rotation.this.rotate_immediately
    error_message = "Every month, and not before the users are made."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.username != jsondecode(aws_secretsmanager_secret_version.first.secret_string).username
    error_message = "The administrator is another user, whose password RDS keeps."
  }

  assert {
    condition     = keys(jsondecode(aws_secretsmanager_secret_version.first.secret_string)) == ["dbname", "engine", "host", "masterarn", "password", "port", "username"]
    error_message = "What the cluster and the function read."
  }
}

run "a_withdrawn_minor_version_is_refused" {
  command = plan

  variables {
    engine_version = "15.4"
  }

  expect_failures = [var.engine_version]
}

run "backups_of_less_than_a_week_are_refused" {
  command = plan

  variables {
    backup_days = 1
  }

  expect_failures = [var.backup_days]
}

run "backups_of_more_than_thirty_days_are_refused" {
  command = plan

  variables {
    backup_days = 35
  }

  expect_failures = [var.backup_days]
}

run "a_disk_without_room_to_grow_is_refused" {
  command = plan

  variables {
    storage_gb = { initial = 100, largest = 100 }
  }

  expect_failures = [var.storage_gb]
}

run "a_machine_that_is_no_database_is_refused" {
  command = plan

  variables {
    instance_class = "t3.medium"
  }

  expect_failures = [var.instance_class]
}
