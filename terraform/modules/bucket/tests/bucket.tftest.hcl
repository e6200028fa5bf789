mock_provider "aws" {}

variables {
  name = "ecommerce-test"
}

run "the_public_has_no_way_in" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four blocks."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "No access-control lists."
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : [statement.Effect, statement.Condition]] == [
      ["Deny", { Bool = { "aws:SecureTransport" = "false" } }],
      ["Deny", { NumericLessThan = { "s3:TlsVersion" = "1.2" } }],
    ]
    error_message = "The policy refuses what is not TLS 1.2, and allows nobody anything."
  }
}

run "no_page_may_send_forms_unless_it_is_named" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_cors_configuration.this) == 0
    error_message = "No rule."
  }
}

run "a_named_page_may_send_forms_and_read_nothing" {
  command = plan

  variables {
    upload_origins = ["https://shop.example.com"]
  }

  assert {
    condition     = [for rule in aws_s3_bucket_cors_configuration.this[0].cors_rule : [rule.allowed_methods, rule.allowed_origins]] == [[toset(["POST"]), toset(["https://shop.example.com"])]]
    error_message = "POST from that origin alone."
  }
}

run "objects_are_encrypted_and_former_versions_kept" {
  command = plan

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "AES-256."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled"
    error_message = "Versions."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days == 90
    error_message = "Former versions for ninety days."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule) == 1
    error_message = "Nothing else is deleted or moved unless asked for."
  }
}

run "a_key_of_ours_is_used_when_given" {
  command = plan

  variables {
    key = { arn = "arn:aws:kms:us-east-1:111122223333:key/mock" }
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "Our key."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled
    error_message = "With a bucket key."
  }
}

run "locked_versions_stay" {
  command = plan

  variables {
    locked_days = 365
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && one(one(aws_s3_bucket_object_lock_configuration.this[0].rule).default_retention).days == 365
    error_message = "Locked for a year."
  }
}

run "files_are_archived_and_deleted_when_asked_for" {
  command = plan

  variables {
    archive_after_days = 90
    expire_after_days  = 365
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id] == ["former-versions", "archive", "expire"]
    error_message = "Three rules."
  }
}

run "a_mistake_has_a_week_to_be_noticed" {
  command = plan

  variables {
    former_versions_days = 1
  }

  expect_failures = [var.former_versions_days]
}

run "infrequent_access_begins_after_thirty_days" {
  command = plan

  variables {
    archive_after_days = 7
  }

  expect_failures = [var.archive_after_days]
}

run "a_name_has_no_capitals" {
  command = plan

  variables {
    name = "Ecommerce_Users"
  }

  expect_failures = [var.name]
}
