# What the shop's pods may do at AWS. Workers, beat, exporter and jobs talk to PostgreSQL, Redis and Stripe
# only: they have no role.

locals {
  namespace = "ecommerce-${var.environment}"
  read_secrets = {
    secrets-reader = {
      namespace = local.namespace
      role      = "secrets-reader"
      secrets = [
        module.database.secret_arn,
        aws_secretsmanager_secret.by_hand["application"].arn,
        aws_secretsmanager_secret.by_hand["stripe"].arn,
        aws_secretsmanager_secret.by_hand["mail"].arn,
        aws_secretsmanager_secret.redis.arn,
      ]
    }
    monitoring = {
      namespace = "monitoring"
      role      = "monitoring-secrets"
      secrets   = [aws_secretsmanager_secret.by_hand["monitoring"].arn]
    }
  }
}

module "web_role" {
  source = "../workload_role"

  name              = "${local.name}-web"
  identity_provider = module.cluster.identity_provider
  namespace         = local.namespace
  service_account   = "web"
  statements = [
    {
      Sid      = "Pictures"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::${local.bucket.products}/*"
    },
    {
      # Without it S3 answers 403 instead of 404 for a picture that is not there.
      Sid      = "WhetherThereIsOne"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = "arn:aws:s3:::${local.bucket.products}"
    },
    {
      # It signs the forms and addresses that people's browsers use; a signature may what its maker may.
      Sid      = "FormsForUploads"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = "arn:aws:s3:::${local.bucket.users}/uploads/*"
    },
    {
      Sid      = "AddressesOfAvatars"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::${local.bucket.users}/avatars/*"
    },
    {
      Sid      = "Invoices"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = ["arn:aws:s3:::${local.bucket.orders}/invoices/*", "arn:aws:s3:::${local.bucket.orders}/credit-notes/*"]
    },
    {
      Sid      = "PhotosOfReturns"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::${local.bucket.orders}/returns/*"
    },
    {
      # Without it S3 answers 403 instead of 404 for a file that is not there.
      Sid      = "WhetherThereIsOneOfAnOrder"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = "arn:aws:s3:::${local.bucket.orders}"
    },
    {
      Sid      = "KeyOfPrivateBuckets"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = local.key.arn
    },
  ]
}

# The worker that draws avatars, pictures of products and photos of reviews: reads what was uploaded, writes what is shown,
# deletes both. It writes invoices, too, and deletes them when their time is over.
module "worker_shipping_role" {
  source = "../workload_role"

  name              = "${local.name}-worker-shipping"
  identity_provider = module.cluster.identity_provider
  namespace         = local.namespace
  service_account   = "worker-shipping"
  statements = [
    {
      Sid      = "FilesOfProducts"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = "arn:aws:s3:::${local.bucket.products}/exchange/*"
    },
    {
      Sid      = "Avatars"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["arn:aws:s3:::${local.bucket.users}/avatars/*", "arn:aws:s3:::${local.bucket.users}/uploads/*"]
    },
    {
      Sid      = "PicturesOfProducts"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["arn:aws:s3:::${local.bucket.products}/products/*", "arn:aws:s3:::${local.bucket.products}/reviews/*"]
    },
    {
      # Without it S3 answers 403 instead of 404 for an upload that never came.
      Sid      = "WhetherThereIsOne"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = ["arn:aws:s3:::${local.bucket.users}", "arn:aws:s3:::${local.bucket.products}", "arn:aws:s3:::${local.bucket.orders}"]
    },
    {
      Sid      = "Invoices"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["arn:aws:s3:::${local.bucket.orders}/invoices/*", "arn:aws:s3:::${local.bucket.orders}/credit-notes/*"]
    },
    {
      # Of whoever takes a photo back, wants their data, or is erased.
      Sid      = "PhotosOfReturns"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject"]
      Resource = "arn:aws:s3:::${local.bucket.orders}/returns/*"
    },
    {
      Sid      = "KeyOfPrivateBuckets"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = local.key.arn
    },
  ]
}

# External Secrets acts as these service accounts, each for its namespace.
module "secrets_role" {
  source   = "../workload_role"
  for_each = local.read_secrets

  name              = "${local.name}-${each.value.role}"
  identity_provider = module.cluster.identity_provider
  namespace         = each.value.namespace
  service_account   = "secrets-reader"
  statements = [
    {
      Sid      = "Read"
      Effect   = "Allow"
      Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
      Resource = each.value.secrets
    },
    {
      Sid       = "Decrypt"
      Effect    = "Allow"
      Action    = "kms:Decrypt"
      Resource  = module.key.arn
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
    },
  ]
}
