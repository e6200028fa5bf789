# What the AWS Load Balancer Controller may do: look at everything, make things that carry the cluster's
# tag, and change only what carries it.

locals {
  cluster_tag = "elbv2.k8s.aws/cluster"
  balancers   = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}"
  groups      = "arn:aws:ec2:${var.region}:${var.account_id}:security-group/*"
  ours        = { StringEquals = { "aws:ResourceTag/${local.cluster_tag}" = var.name } }
  becomes     = { StringEquals = { "aws:RequestTag/${local.cluster_tag}" = var.name } }
}

module "load_balancers" {
  source = "../workload_role"

  name              = "${var.name}-load-balancer-controller"
  identity_provider = local.identity_provider
  namespace         = "kube-system"
  service_account   = "aws-load-balancer-controller"
  statements = [
    {
      Sid    = "Look"
      Effect = "Allow"
      Action = [
        "acm:DescribeCertificate",
        "acm:ListCertificates",
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVpcs",
        "elasticloadbalancing:Describe*",
        "wafv2:GetWebACL",
        "wafv2:GetWebACLForResource",
      ]
      Resource = "*"
    },
    {
      Sid      = "Firewall"
      Effect   = "Allow"
      Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "elasticloadbalancing:SetWebACL"]
      Resource = ["arn:aws:wafv2:${var.region}:${var.account_id}:regional/webacl/${var.name}/*", "${local.balancers}:loadbalancer/app/*"]
    },
    {
      Sid       = "MakeSecurityGroup"
      Effect    = "Allow"
      Action    = "ec2:CreateSecurityGroup"
      Resource  = local.groups
      Condition = local.becomes
    },
    {
      Sid      = "MakeSecurityGroupInTheVpc"
      Effect   = "Allow"
      Action   = "ec2:CreateSecurityGroup"
      Resource = "arn:aws:ec2:${var.region}:${var.account_id}:vpc/${var.vpc_id}"
    },
    {
      Sid       = "TagNewSecurityGroup"
      Effect    = "Allow"
      Action    = "ec2:CreateTags"
      Resource  = local.groups
      Condition = { StringEquals = merge(local.becomes.StringEquals, { "ec2:CreateAction" = "CreateSecurityGroup" }) }
    },
    {
      Sid    = "ChangeOwnSecurityGroups"
      Effect = "Allow"
      Action = [
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteTags",
        "ec2:RevokeSecurityGroupIngress",
      ]
      Resource  = local.groups
      Condition = local.ours
    },
    {
      # The nodes' group: pods let the load balancer in.
      Sid       = "OpenTheNodes"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
      Resource  = local.groups
      Condition = { StringEquals = { "aws:ResourceTag/kubernetes.io/cluster/${var.name}" = "owned" } }
    },
    {
      Sid       = "MakeLoadBalancers"
      Effect    = "Allow"
      Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
      Resource  = ["${local.balancers}:loadbalancer/app/*", "${local.balancers}:targetgroup/*"]
      Condition = local.becomes
    },
    {
      Sid      = "TagNewLoadBalancers"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:AddTags"
      Resource = ["${local.balancers}:loadbalancer/app/*", "${local.balancers}:targetgroup/*", "${local.balancers}:listener/app/*", "${local.balancers}:listener-rule/app/*"]
      Condition = {
        StringEquals = merge(
          local.becomes.StringEquals,
          { "elasticloadbalancing:CreateAction" = ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule"] },
        )
      }
    },
    {
      Sid    = "ChangeOwnLoadBalancers"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetIpAddressType",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
      ]
      Resource  = ["${local.balancers}:loadbalancer/app/*", "${local.balancers}:targetgroup/*"]
      Condition = local.ours
    },
    {
      Sid    = "ChangeOwnListeners"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:AddListenerCertificates",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateRule",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyListenerAttributes",
        "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:RemoveListenerCertificates",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetRulePriorities",
      ]
      Resource  = ["${local.balancers}:listener/app/*", "${local.balancers}:listener-rule/app/*"]
      Condition = local.ours
    },
    {
      Sid       = "ServiceLinkedRole"
      Effect    = "Allow"
      Action    = "iam:CreateServiceLinkedRole"
      Resource  = "arn:aws:iam::${var.account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"
      Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
    },
  ]
}
