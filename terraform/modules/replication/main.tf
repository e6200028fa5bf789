# Copies every new object of a bucket, and every deletion, to a bucket in another region.

locals {
  keys = flatten([for key in var.from.key[*] : [
    {
      Sid       = "Decrypt"
      Effect    = "Allow"
      Action    = "kms:Decrypt"
      Resource  = key.arn
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.regions.from}.amazonaws.com" } }
    },
    {
      Sid       = "EncryptTheCopy"
      Effect    = "Allow"
      Action    = ["kms:Encrypt", "kms:GenerateDataKey"]
      Resource  = var.to.key.arn
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.regions.to}.amazonaws.com" } }
    },
  ]])
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "S3 copies ${var.from.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:s3:::${var.from.name}" } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "copy"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Look"
          Effect   = "Allow"
          Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
          Resource = "arn:aws:s3:::${var.from.name}"
        },
        {
          Sid      = "Read"
          Effect   = "Allow"
          Action   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
          Resource = "arn:aws:s3:::${var.from.name}/*"
        },
        {
          Sid      = "Write"
          Effect   = "Allow"
          Action   = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
          Resource = "arn:aws:s3:::${var.to.name}/*"
        },
      ],
      local.keys,
    )
  })
}

resource "aws_s3_bucket_replication_configuration" "this" {
  bucket = var.from.name
  role   = aws_iam_role.this.arn

  rule {
    id       = "everything"
    status   = "Enabled"
    priority = 0

    filter {}

    # What is deleted here is deleted there: the law gives people a right to it.
    delete_marker_replication {
      status = "Enabled"
    }

    dynamic "source_selection_criteria" {
      for_each = var.from.key[*]

      content {
        sse_kms_encrypted_objects {
          status = "Enabled"
        }
      }
    }

    destination {
      bucket        = "arn:aws:s3:::${var.to.name}"
      storage_class = "STANDARD_IA"

      dynamic "encryption_configuration" {
        for_each = var.to.key[*]

        content {
          replica_kms_key_id = encryption_configuration.value.arn
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.from.versioning == "Enabled" && var.to.versioning == "Enabled"
      error_message = "S3 replicates between versioned buckets only."
    }
  }
}
