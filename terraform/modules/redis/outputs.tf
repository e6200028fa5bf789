output "id" {
  description = "The replication group."
  value       = aws_elasticache_replication_group.this.id
}

# Without the parameter Celery would take any certificate.
output "url" {
  description = "Address with token, database 0. The primary's name follows a failover."
  sensitive   = true
  value       = "rediss://:${terraform_data.token.output}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379/0?ssl_cert_reqs=required"
}

output "members" {
  description = "Names of the machines, as CloudWatch knows them."
  value       = [for number in range(local.copies) : format("%s-%03d", var.name, number + 1)]
}
