output "arn" {
  description = "The distribution; the bucket's policy lets it read."
  value       = aws_cloudfront_distribution.this.arn
}

output "address" {
  description = "What the domain has to point to."
  value       = { name = aws_cloudfront_distribution.this.domain_name, zone_id = aws_cloudfront_distribution.this.hosted_zone_id }
}
