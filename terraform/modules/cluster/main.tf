# The EKS cluster: control plane, who may enter it, and the identity provider of its pods.

module "secrets_key" {
  source = "../key"

  name        = "${var.name}-cluster"
  description = "Secrets and logs of the cluster ${var.name}"
  account_id  = var.account_id
  services = {
    "logs.${var.region}.amazonaws.com" = {
      test  = "ArnEquals"
      key   = "kms:EncryptionContext:aws:logs:arn"
      value = "arn:aws:logs:${var.region}:${var.account_id}:log-group:${local.log_group}"
    }
  }
}

locals {
  # EKS writes to the group of this name and would make it, unencrypted and kept for ever.
  log_group = "/aws/eks/${var.name}/cluster"
  issuer    = one(one(aws_eks_cluster.this.identity).oidc).issuer
}

resource "aws_cloudwatch_log_group" "control_plane" {
  name              = local.log_group
  retention_in_days = 365
  kms_key_id        = module.secrets_key.arn
}

resource "aws_iam_role" "control_plane" {
  name        = "${var.name}-control-plane"
  description = "The control plane of the cluster ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "control_plane" {
  role       = aws_iam_role.control_plane.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "this" {
  name                          = var.name
  version                       = var.kubernetes_version
  role_arn                      = aws_iam_role.control_plane.arn
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  bootstrap_self_managed_addons = false
  deletion_protection           = var.deletion_protection

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = var.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.api_allowed_cidrs) > 0
    public_access_cidrs     = length(var.api_allowed_cidrs) > 0 ? var.api_allowed_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = module.secrets_key.arn
    }
  }

  # At the end of standard support AWS upgrades, instead of charging six times as much.
  upgrade_policy {
    support_type = "STANDARD"
  }

  depends_on = [aws_iam_role_policy_attachment.control_plane, aws_cloudwatch_log_group.control_plane]
}

resource "aws_iam_openid_connect_provider" "pods" {
  url            = local.issuer
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_eks_access_entry" "admin" {
  for_each = var.admin_role_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
}

resource "aws_eks_access_policy_association" "admin" {
  for_each = var.admin_role_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.admin[each.key].principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

# What the pipeline may do in the shop's namespace is a RoleBinding to this group.
resource "aws_eks_access_entry" "deployer" {
  for_each = var.deployer_role_arns

  cluster_name      = aws_eks_cluster.this.name
  principal_arn     = each.key
  kubernetes_groups = ["ecommerce-deployers"]
}
