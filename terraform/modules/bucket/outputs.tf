output "name" {
  description = "The bucket; known to exist."
  value       = aws_s3_bucket.this.bucket
}

output "arn" {
  description = "The bucket as policies name it."
  value       = aws_s3_bucket.this.arn
}

output "domain" {
  description = "Where the bucket answers in its region."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}

output "versioning" {
  description = "Whether former versions are kept; replication waits for it."
  value       = one(aws_s3_bucket_versioning.this.versioning_configuration).status
}
