output "name" {
  description = "The bucket; whoever writes to it finds its policy in place."
  value       = aws_s3_bucket.this.bucket
  depends_on  = [aws_s3_bucket_policy.this]
}

output "arn" {
  description = "The bucket as policies name it; its own is in place."
  value       = aws_s3_bucket.this.arn
  depends_on  = [aws_s3_bucket_policy.this]
}

output "domain" {
  description = "Where the bucket answers in its region."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}

output "versioning" {
  description = "Whether former versions are kept; replication waits for it."
  value       = one(aws_s3_bucket_versioning.this.versioning_configuration).status
}
