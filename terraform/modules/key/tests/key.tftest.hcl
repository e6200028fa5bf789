mock_provider "aws" {}

variables {
  name        = "test"
  description = "A test"
  account_id  = "111122223333"
}

run "the_key_changes_every_year_and_is_deleted_slowly" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "Rotation and thirty days to change one's mind."
  }

  assert {
    condition     = length(aws_kms_replica_key.this) == 0 && !aws_kms_key.this.multi_region
    error_message = "No replica unless asked for."
  }
}

run "a_service_may_use_the_key_only_under_its_condition" {
  command = plan

  variables {
    services = { "cloudwatch.amazonaws.com" = { test = "StringEquals", key = "aws:SourceAccount", value = "111122223333" } }
  }

  assert {
    condition = [for statement in jsondecode(aws_kms_key.this.policy).Statement : statement if try(statement.Principal.Service, "") != ""] == [{
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "One statement, with its condition."
  }
}

run "a_replica_is_the_same_key_elsewhere" {
  command = plan

  variables {
    replica_region = "us-west-2"
  }

  assert {
    condition     = aws_kms_key.this.multi_region && aws_kms_replica_key.this[0].region == "us-west-2"
    error_message = "A multi-region key with a replica."
  }
}

run "an_account_is_twelve_digits" {
  command = plan

  variables {
    account_id = "1111"
  }

  expect_failures = [var.account_id]
}
