# One bucket: private, versioned, encrypted, reachable over TLS only.

#trivy:ignore:AVD-AWS-0089 Buckets with files have access logs by variable; CloudTrail watches the state, and a log does not log itself
#trivy:ignore:AVD-AWS-0163 The record of API calls is locked against change and deletion; reads of it are not recorded
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_62:Nothing waits for events of a bucket; workers are woken by the application
  #checkov:skip=CKV_AWS_144:Module replication copies the buckets with files; a copy, a log and the state are not copied again

  region              = var.region
  bucket              = var.name
  object_lock_enabled = var.locked_days != null
}

resource "aws_s3_bucket_public_access_block" "this" {
  region                  = var.region
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  region = var.region
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  region = var.region
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  region = var.region
  bucket = aws_s3_bucket.this.id

  rule {
    # One key for many objects; without it each object is a paid call to KMS.
    bucket_key_enabled = var.key != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.key == null ? "AES256" : "aws:kms"
      kms_master_key_id = one(var.key[*].arn)
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  #checkov:skip=CKV_AWS_300:The first rule ends failed uploads; checkov loses a written rule beside dynamic ones

  region = var.region
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "former-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.former_versions_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.archive_after_days == null ? [] : [var.archive_after_days]

    content {
      id     = "archive"
      status = "Enabled"

      filter {}

      transition {
        days          = rule.value
        storage_class = "STANDARD_IA"
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_after_days == null ? [] : [var.expire_after_days]

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.locked_days == null ? 0 : 1

  region = var.region
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.locked_days
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  count = var.access_logs_bucket == null ? 0 : 1

  region        = var.region
  bucket        = aws_s3_bucket.this.id
  target_bucket = var.access_logs_bucket
  target_prefix = "s3/${var.name}/"
}

resource "aws_s3_bucket_policy" "this" {
  region = var.region
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = ["arn:aws:s3:::${var.name}", "arn:aws:s3:::${var.name}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "ModernTlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = ["arn:aws:s3:::${var.name}", "arn:aws:s3:::${var.name}/*"]
          Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
        },
      ],
      var.services,
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Which pages a browser lets send a form here; the form has to be signed all the same.
resource "aws_s3_bucket_cors_configuration" "this" {
  count = length(var.upload_origins) == 0 ? 0 : 1

  region = var.region
  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_origins = var.upload_origins
    allowed_methods = ["POST"]
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}
