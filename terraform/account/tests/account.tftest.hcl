mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:us-east-1:111122223333:repository/ecommerce" }
  }
}

run "the_whole_account_keeps_the_public_out_and_disks_encrypted" {
  command = apply

  assert {
    condition = alltrue([
      aws_s3_account_public_access_block.this.block_public_acls,
      aws_s3_account_public_access_block.this.block_public_policy,
      aws_s3_account_public_access_block.this.ignore_public_acls,
      aws_s3_account_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four blocks, for every bucket that will ever be made."
  }

  assert {
    condition     = aws_ebs_encryption_by_default.this.enabled
    error_message = "Disks."
  }

  assert {
    condition     = keys(aws_ce_cost_allocation_tag.this) == ["Environment", "Project"]
    error_message = "The tags that budgets ask for."
  }
}

run "an_account_is_twelve_digits" {
  command = plan

  variables {
    account_id = "1"
  }

  expect_failures = [var.account_id]
}
