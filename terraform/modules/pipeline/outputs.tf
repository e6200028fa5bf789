output "role_arn" {
  description = "The role that Jenkins takes."
  value       = aws_iam_role.this.arn
}
