mock_provider "aws" {}

variables {
  name    = "ecommerce-test-copy-users"
  from    = { name = "ecommerce-users", key = { arn = "arn:aws:kms:us-east-1:111122223333:key/mock" }, versioning = "Enabled" }
  to      = { name = "ecommerce-users-copy", key = { arn = "arn:aws:kms:us-west-2:111122223333:key/mock" }, versioning = "Enabled" }
  regions = { from = "us-east-1", to = "us-west-2" }
}

run "the_role_reads_one_bucket_and_writes_one" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => statement.Resource } == {
      Look           = "arn:aws:s3:::ecommerce-users"
      Read           = "arn:aws:s3:::ecommerce-users/*"
      Write          = "arn:aws:s3:::ecommerce-users-copy/*"
      Decrypt        = "arn:aws:kms:us-east-1:111122223333:key/mock"
      EncryptTheCopy = "arn:aws:kms:us-west-2:111122223333:key/mock"
    }
    error_message = "Exactly these."
  }
}

run "encrypted_objects_and_deletions_are_copied" {
  command = plan

  assert {
    condition     = one(one(aws_s3_bucket_replication_configuration.this.rule[0].destination).encryption_configuration).replica_kms_key_id == "arn:aws:kms:us-west-2:111122223333:key/mock"
    error_message = "Under the key of the other region."
  }

  assert {
    condition     = one(aws_s3_bucket_replication_configuration.this.rule[0].delete_marker_replication).status == "Enabled"
    error_message = "What a person had deleted does not live on elsewhere."
  }
}

run "objects_under_s3s_own_key_need_none" {
  command = plan

  variables {
    from = { name = "ecommerce-products", versioning = "Enabled" }
    to   = { name = "ecommerce-products-copy", versioning = "Enabled" }
  }

  assert {
    condition     = length(aws_s3_bucket_replication_configuration.this.rule[0].source_selection_criteria) == 0 && length(jsondecode(aws_iam_role_policy.this.policy).Statement) == 3
    error_message = "No key, no right to one."
  }
}

run "the_same_region_is_refused" {
  command = plan

  variables {
    regions = { from = "us-east-1", to = "us-east-1" }
  }

  expect_failures = [var.regions]
}

run "unversioned_buckets_are_refused" {
  command = plan

  variables {
    from = { name = "ecommerce-users", versioning = "Suspended" }
  }

  expect_failures = [aws_s3_bucket_replication_configuration.this]
}
