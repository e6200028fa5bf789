mock_provider "aws" {}

variables {
  name       = "ecommerce"
  account_id = "111122223333"
  key_arn    = "arn:aws:kms:us-east-1:111122223333:key/mock"
}

run "tags_never_move_and_images_are_scanned" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.this.image_scanning_configuration).scan_on_push
    error_message = "Immutable, scanned on push."
  }

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).kms_key == var.key_arn
    error_message = "Our key."
  }
}

run "old_images_go" {
  command = plan

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countNumber] == [7, 50]
    error_message = "Untagged after a week, and the last fifty stay."
  }
}

run "a_copy_goes_to_the_other_region" {
  command = plan

  variables {
    replica_region = "us-west-2"
  }

  assert {
    condition     = one(one(one(aws_ecr_replication_configuration.this[0].replication_configuration).rule).destination).region == "us-west-2"
    error_message = "There."
  }
}

run "too_few_images_to_go_back_to_are_refused" {
  command = plan

  variables {
    images_kept = 3
  }

  expect_failures = [var.images_kept]
}
