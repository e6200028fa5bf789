mock_provider "aws" {}

variables {
  name        = "ecommerce"
  account_id  = "111122223333"
  region      = "us-east-1"
  bucket_name = "ecommerce-trail-111122223333"
}

run "every_region_is_recorded_and_the_record_can_be_checked" {
  command = apply

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.include_global_service_events && aws_cloudtrail.this.enable_log_file_validation
    error_message = "All regions, with signed digests."
  }

  assert {
    condition     = aws_cloudtrail.this.kms_key_id == module.key.arn
    error_message = "Encrypted by our key."
  }
}

run "calls_of_the_api_are_recorded_and_objects_when_asked_for" {
  command = plan

  variables {
    watched_buckets = ["ecommerce-users"]
  }

  assert {
    condition     = flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : field.starts_with if field.field == "resources.ARN"]]) == ["arn:aws:s3:::ecommerce-users/"]
    error_message = "Reads and writes of that bucket."
  }

  assert {
    condition     = aws_cloudtrail.this.advanced_event_selector[0].name == "Management"
    error_message = "And the API's calls."
  }
}
