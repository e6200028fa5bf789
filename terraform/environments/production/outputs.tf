output "cluster" {
  description = "For `aws eks update-kubeconfig`, and for the charts in k8s/cluster/addons."
  value       = module.store.cluster
}

output "role_arns" {
  description = "For the annotations eks.amazonaws.com/role-arn, by service account."
  value       = module.store.role_arns
}

output "ingress" {
  description = "For the annotations of the Ingress."
  value       = module.store.ingress
}

output "settings" {
  description = "For settings.env of the overlay."
  value       = module.store.settings
}

output "buckets" {
  description = "The buckets by what they hold."
  value       = module.store.buckets
}

output "secrets" {
  description = "Secrets whose values people write."
  value       = module.store.secrets
}

output "database" {
  description = "For the restore commands, and for making the users."
  value       = module.store.database
}

output "addresses" {
  description = "The addresses the shop calls the outside from."
  value       = module.store.addresses
}
