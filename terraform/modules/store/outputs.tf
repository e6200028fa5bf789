output "cluster" {
  description = "For `aws eks update-kubeconfig`, and for the charts in k8s/cluster/addons."
  value       = { name = module.cluster.name, endpoint = module.cluster.endpoint, vpc_id = module.network.vpc_id }
}

output "role_arns" {
  description = "For the annotations eks.amazonaws.com/role-arn, by service account."
  value = merge(module.cluster.role_arns, {
    web                = module.web_role.arn
    worker-shipping    = module.worker_shipping_role.arn
    secrets-reader     = module.secrets_role["secrets-reader"].arn
    monitoring-secrets = module.secrets_role["monitoring"].arn
  })
}

output "ingress" {
  description = "For the annotations of the Ingress, and where the load balancer may keep its log."
  value = {
    certificate_arn = aws_acm_certificate_validation.this.certificate_arn
    wafv2_acl_arn   = module.firewall.arn
    logs_bucket     = module.logs.name
    logs_prefix     = "alb"
  }
}

output "settings" {
  description = "For settings.env of the overlay."
  value = {
    AWS_ORDERS_BUCKET   = module.orders.name
    AWS_PRODUCTS_BUCKET = module.products.name
    AWS_PRODUCTS_DOMAIN = local.pictures_host
    AWS_USERS_BUCKET    = module.users.name
  }
}

output "buckets" {
  description = "The buckets by what they hold."
  value = {
    users    = module.users.name
    products = module.products.name
    orders   = module.orders.name
    logs     = module.logs.name
    copies   = { for what, copy in module.copy : what => copy.name }
  }
}

output "secrets" {
  description = "Secrets whose values people write."
  value       = { for what, secret in aws_secretsmanager_secret.by_hand : what => secret.name }
}

output "database" {
  description = "For the restore commands, and for making the users."
  value = {
    target           = "rds:${var.region}:${module.database.identifier}"
    address          = module.database.address
    admin_secret_arn = module.database.admin_secret_arn
    restore          = module.database.restore
  }
}

output "addresses" {
  description = "The addresses the shop calls the outside from, for allow-lists of others."
  value       = module.network.nat_addresses
}
