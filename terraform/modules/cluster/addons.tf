# What AWS runs in the cluster; each takes the version that AWS names for the cluster's.

locals {
  # A node is ready only when the network is.
  before_nodes = {
    vpc-cni    = { role = module.cni.arn, settings = { enableNetworkPolicy = "true" } }
    kube-proxy = { role = null, settings = {} }
  }
  on_nodes = {
    coredns            = { role = null, settings = {} }
    metrics-server     = { role = null, settings = {} }
    aws-ebs-csi-driver = { role = module.volumes.arn, settings = {} }
  }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.before_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  service_account_role_arn    = each.value.role
  configuration_values        = jsonencode(each.value.settings)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

resource "aws_eks_addon" "on_nodes" {
  for_each = local.on_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  service_account_role_arn    = each.value.role
  configuration_values        = jsonencode(each.value.settings)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  depends_on = [aws_eks_node_group.general]
}

module "cni" {
  source = "../workload_role"

  name               = "${var.name}-cni"
  identity_provider  = local.identity_provider
  namespace          = "kube-system"
  service_account    = "aws-node"
  managed_policy_arn = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
}

module "volumes" {
  source = "../workload_role"

  name               = "${var.name}-volumes"
  identity_provider  = local.identity_provider
  namespace          = "kube-system"
  service_account    = "ebs-csi-controller-sa"
  managed_policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}

locals {
  identity_provider = {
    arn  = aws_iam_openid_connect_provider.pods.arn
    host = trimprefix(local.issuer, "https://")
  }
}

module "autoscaler" {
  source = "../workload_role"

  name              = "${var.name}-cluster-autoscaler"
  identity_provider = local.identity_provider
  namespace         = "kube-system"
  service_account   = "cluster-autoscaler"
  statements = [
    {
      Sid    = "SeeWhatThereIs"
      Effect = "Allow"
      Action = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
      ]
      Resource = "*"
    },
    {
      Sid      = "SeeThisClustersGroups"
      Effect   = "Allow"
      Action   = "eks:DescribeNodegroup"
      Resource = "arn:aws:eks:${var.region}:${var.account_id}:nodegroup/${var.name}/*/*"
    },
    {
      Sid       = "ScaleThisClustersGroups"
      Effect    = "Allow"
      Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
      Resource  = "arn:aws:autoscaling:${var.region}:${var.account_id}:autoScalingGroup:*:autoScalingGroupName/eks-*"
      Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.name}" = "owned" } }
    },
  ]
}
