output "arn" {
  description = "For the annotation eks.amazonaws.com/role-arn."
  value       = aws_iam_role.this.arn
}
