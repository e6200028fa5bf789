output "arn" {
  description = "The instance."
  value       = aws_db_instance.this.arn
}

output "identifier" {
  description = "The instance's name."
  value       = aws_db_instance.this.identifier
}

output "address" {
  description = "Where it answers."
  value       = aws_db_instance.this.address
}

output "admin_secret_arn" {
  description = "RDS's own secret, with the password of `store_admin`."
  value       = one(aws_db_instance.this.master_user_secret).secret_arn
}

output "secret_arn" {
  description = "The shop's login."
  value       = aws_secretsmanager_secret.this.arn
}

output "restore" {
  description = "What a restored instance has to be told: subnets, firewall, parameters."
  value = {
    subnet_group      = aws_db_subnet_group.this.name
    security_group_id = aws_security_group.this.id
    parameter_group   = aws_db_parameter_group.this.name
  }
}
