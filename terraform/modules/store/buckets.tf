# Files: avatars and documents of people, pictures of products, documents of orders, and logs.

locals {
  # The account makes the names unique in all of S3.
  bucket = { for what in ["users", "products", "orders", "logs"] : what => "ecommerce-${what}-${var.environment}-${var.account_id}" }
  key    = { arn = module.key.arn }
  # What has a copy in the other region, and the keys of both.
  copied = { for what, it in {
    users    = { bucket = module.users, key = local.key, copy_key = { arn = module.key.replica_arn } }
    products = { bucket = module.products, key = null, copy_key = null }
    orders   = { bucket = module.orders, key = local.key, copy_key = { arn = module.key.replica_arn } }
  } : what => it if var.backup_region != null }
}

module "users" {
  source = "../bucket"

  name               = local.bucket.users
  key                = local.key
  access_logs_bucket = module.logs.name
  # A closed account's files are gone for good a month after they were deleted.
  former_versions_days = 30
  upload_origins       = ["https://${var.host}"]
}

module "products" {
  source = "../bucket"

  # Public pictures: a key of S3's own, so that CloudFront needs none of ours.
  name               = local.bucket.products
  access_logs_bucket = module.logs.name
  services = [
    {
      Sid       = "PicturesForEverybody"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::${local.bucket.products}/*"
      Condition = { StringEquals = { "aws:SourceArn" = module.pictures.arn } }
    },
    {
      # Files that staff send and fetch lie here, too, and are nobody else's.
      Sid       = "FilesOfStaffForNobody"
      Effect    = "Deny"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::${local.bucket.products}/exchange/*"
      Condition = { StringEquals = { "aws:SourceArn" = module.pictures.arn } }
    },
  ]
}

module "orders" {
  source = "../bucket"

  name               = local.bucket.orders
  key                = local.key
  access_logs_bucket = module.logs.name
  archive_after_days = 90
}

# Who read which object, who talked to whom in the VPC, what the load balancer was asked.
module "logs" {
  source = "../bucket"

  name                 = local.bucket.logs
  former_versions_days = 7
  expire_after_days    = 365
  services = [
    {
      Sid       = "ObjectReads"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${local.bucket.logs}/s3/*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    },
    {
      Sid       = "FlowLogs"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${local.bucket.logs}/vpc/AWSLogs/*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id, "s3:x-amz-acl" = "bucket-owner-full-control" } }
    },
    {
      Sid       = "FlowLogsLook"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["s3:GetBucketAcl", "s3:ListBucket"]
      Resource  = "arn:aws:s3:::${local.bucket.logs}"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    },
    {
      Sid       = "LoadBalancer"
      Effect    = "Allow"
      Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${local.bucket.logs}/alb/AWSLogs/${var.account_id}/*"
    },
  ]
}

module "copy" {
  source   = "../bucket"
  for_each = local.copied

  name   = "${each.value.bucket.name}-copy"
  region = var.backup_region
  key    = each.value.copy_key
}

module "copying" {
  source   = "../replication"
  for_each = local.copied

  name    = "${local.name}-copy-${each.key}"
  from    = { name = each.value.bucket.name, key = each.value.key, versioning = each.value.bucket.versioning }
  to      = { name = module.copy[each.key].name, key = each.value.copy_key, versioning = module.copy[each.key].versioning }
  regions = { from = var.region, to = var.backup_region }
}
