# One key of KMS. IAM policies of the account say who uses it; `services` names what AWS encrypts on its
# own, and the condition under which it may.

resource "aws_kms_key" "this" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = 30
  multi_region            = var.replica_region != null
  policy                  = local.policy
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# The same key in the region where the shop would be restored.
resource "aws_kms_replica_key" "this" {
  count = var.replica_region == null ? 0 : 1

  region                  = var.replica_region
  description             = var.description
  primary_key_arn         = aws_kms_key.this.arn
  deletion_window_in_days = 30
  policy                  = local.policy
}

locals {
  # In the policy of a key "*" means this key.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TheAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      }],
      [for service, only in var.services : {
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { (only.test) = { (only.key) = only.value } }
      }],
    )
  })
}
