# The role of the pipeline: one job of one Jenkins takes it, pushes to one repository and may look up the
# clusters it deploys to. What it may do inside a cluster, the cluster says.

resource "aws_iam_openid_connect_provider" "jenkins" {
  url            = var.jenkins_issuer
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  host = trimprefix(var.jenkins_issuer, "https://")
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "The job ${var.job}"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.jenkins.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.host}:aud" = "sts.amazonaws.com"
          "${local.host}:sub" = var.job
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "push-and-find-clusters"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The only call of ECR that knows no resource.
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid    = "PushAndLook"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = var.repository_arn
      },
      {
        Sid      = "FindClusters"
        Effect   = "Allow"
        Action   = "eks:DescribeCluster"
        Resource = var.cluster_arns
      },
    ]
  })
}
