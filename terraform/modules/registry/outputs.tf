output "arn" {
  description = "The repository."
  value       = aws_ecr_repository.this.arn
}

output "url" {
  description = "The image's name without tag."
  value       = aws_ecr_repository.this.repository_url
}
