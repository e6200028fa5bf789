output "name" {
  description = "The cluster; its nodes exist."
  value       = aws_eks_cluster.this.name
  depends_on  = [aws_eks_node_group.general]
}

output "endpoint" {
  description = "Address of the API server."
  value       = aws_eks_cluster.this.endpoint
}

output "security_group_id" {
  description = "Security group of nodes and pods."
  value       = one(aws_eks_cluster.this.vpc_config).cluster_security_group_id
}

output "identity_provider" {
  description = "For module workload_role."
  value       = local.identity_provider
}

output "role_arns" {
  description = "Roles of what runs in kube-system, by name."
  value = {
    cluster-autoscaler       = module.autoscaler.arn
    load-balancer-controller = module.load_balancers.arn
  }
}
