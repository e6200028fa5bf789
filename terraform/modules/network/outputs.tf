output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Where internet-facing load balancers live."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Where nodes and pods live."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "data_subnet_ids" {
  description = "Where databases and caches live."
  value       = [for subnet in aws_subnet.data : subnet.id]
}

output "nat_addresses" {
  description = "The addresses the shop calls the outside from."
  value       = [for address in aws_eip.nat : address.public_ip]
}
