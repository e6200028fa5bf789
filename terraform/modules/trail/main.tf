# Every call of AWS's API in every region of the account, kept where nobody can change it.

locals {
  arn = "arn:aws:cloudtrail:${var.region}:${var.account_id}:trail/${var.name}"
}

module "key" {
  source = "../key"

  name        = "${var.name}-trail"
  description = "The record of API calls"
  account_id  = var.account_id
  services = {
    "cloudtrail.amazonaws.com" = { test = "StringEquals", key = "aws:SourceArn", value = local.arn }
  }
}

module "bucket" {
  source = "../bucket"

  name               = var.bucket_name
  key                = { arn = module.key.arn }
  locked_days        = 365
  archive_after_days = 90
  expire_after_days  = 2557
  services = [
    {
      Sid       = "TrailChecks"
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = "s3:GetBucketAcl"
      Resource  = "arn:aws:s3:::${var.bucket_name}"
      Condition = { StringEquals = { "aws:SourceArn" = local.arn } }
    },
    {
      Sid       = "TrailWrites"
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${var.bucket_name}/AWSLogs/${var.account_id}/*"
      Condition = { StringEquals = { "aws:SourceArn" = local.arn } }
    },
  ]
}

#trivy:ignore:AVD-AWS-0162 The record is kept to be looked up; no alarm is built on it, so CloudWatch would only cost
resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV2_AWS_10:The record is kept to be looked up; no alarm is built on it, so CloudWatch would only cost
  #checkov:skip=CKV_AWS_252:Nobody reads a message for each file of the record

  name                          = var.name
  s3_bucket_name                = module.bucket.name
  kms_key_id                    = module.key.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true

  advanced_event_selector {
    name = "Management"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  dynamic "advanced_event_selector" {
    for_each = length(var.watched_buckets) == 0 ? [] : [var.watched_buckets]

    content {
      name = "Objects with personal data"

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = ["AWS::S3::Object"]
      }

      field_selector {
        field       = "resources.ARN"
        starts_with = [for name in advanced_event_selector.value : "arn:aws:s3:::${name}/"]
      }
    }
  }
}
