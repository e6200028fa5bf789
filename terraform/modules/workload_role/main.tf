# What one service account of the cluster may do at AWS; no other pod can take the role.

resource "aws_iam_role" "this" {
  name        = var.name
  description = "Service account ${var.service_account} of namespace ${var.namespace}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.identity_provider.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${var.identity_provider.host}:aud" = "sts.amazonaws.com"
          "${var.identity_provider.host}:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = length(var.statements) == 0 ? 0 : 1

  name   = "may"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = var.statements })
}

resource "aws_iam_role_policy_attachment" "managed" {
  count = var.managed_policy_arn == null ? 0 : 1

  role       = aws_iam_role.this.name
  policy_arn = var.managed_policy_arn
}
