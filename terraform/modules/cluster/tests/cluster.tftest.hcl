mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "ecommerce-test"
  account_id         = "111122223333"
  region             = "us-east-1"
  vpc_id             = "vpc-1"
  private_subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  admin_role_arns    = ["arn:aws:iam::111122223333:role/platform-engineers"]
  deployer_role_arns = ["arn:aws:iam::111122223333:role/ecommerce-pipeline"]
}

run "the_api_server_is_private_until_networks_are_named" {
  command = plan

  assert {
    condition     = one(aws_eks_cluster.this.vpc_config).endpoint_private_access && !one(aws_eks_cluster.this.vpc_config).endpoint_public_access
    error_message = "Private only."
  }
}

run "named_networks_reach_the_api_server_and_no_others" {
  command = plan

  variables {
    api_allowed_cidrs = ["203.0.113.0/28"]
  }

  assert {
    condition     = one(aws_eks_cluster.this.vpc_config).endpoint_public_access && one(aws_eks_cluster.this.vpc_config).public_access_cidrs == toset(["203.0.113.0/28"])
    error_message = "That network."
  }
}

run "secrets_are_encrypted_and_everything_is_logged" {
  command = apply

  assert {
    condition     = one(aws_eks_cluster.this.encryption_config).resources == toset(["secrets"]) && one(one(aws_eks_cluster.this.encryption_config).provider).key_arn == module.secrets_key.arn
    error_message = "Envelope encryption by our key."
  }

  assert {
    condition     = aws_eks_cluster.this.enabled_cluster_log_types == toset(["api", "audit", "authenticator", "controllerManager", "scheduler"])
    error_message = "All five logs."
  }

  assert {
    condition     = aws_cloudwatch_log_group.control_plane.name == "/aws/eks/ecommerce-test/cluster" && aws_cloudwatch_log_group.control_plane.kms_key_id == module.secrets_key.arn && aws_cloudwatch_log_group.control_plane.retention_in_days == 365
    error_message = "The group that EKS writes to is ours."
  }
}

run "nobody_enters_unnamed" {
  command = plan

  assert {
    condition     = one(aws_eks_cluster.this.access_config).authentication_mode == "API" && !one(aws_eks_cluster.this.access_config).bootstrap_cluster_creator_admin_permissions
    error_message = "No aws-auth map, and no rights by having made it."
  }

  assert {
    condition     = keys(aws_eks_access_policy_association.admin) == ["arn:aws:iam::111122223333:role/platform-engineers"]
    error_message = "One administrator."
  }

  assert {
    condition     = aws_eks_access_entry.deployer["arn:aws:iam::111122223333:role/ecommerce-pipeline"].kubernetes_groups == toset(["ecommerce-deployers"])
    error_message = "The pipeline is a group with no rights of its own."
  }
}

run "nodes_are_those_of_the_document" {
  command = plan

  assert {
    condition     = one(aws_eks_node_group.general.scaling_config).min_size == 3 && one(aws_eks_node_group.general.scaling_config).max_size == 10 && aws_eks_node_group.general.capacity_type == "ON_DEMAND" && aws_eks_node_group.general.instance_types == tolist(["t3.large"])
    error_message = "General: 3 to 10, on demand."
  }

  assert {
    condition     = one(aws_eks_node_group.spot.scaling_config).min_size == 1 && one(aws_eks_node_group.spot.scaling_config).max_size == 5 && aws_eks_node_group.spot.capacity_type == "SPOT" && aws_eks_node_group.spot.instance_types == tolist(["t3.large", "t3a.large"])
    error_message = "Spot: 1 to 5, of two kinds."
  }

  assert {
    condition     = [for taint in aws_eks_node_group.spot.taint : [taint.key, taint.value, taint.effect]] == [["spot", "true", "NO_SCHEDULE"]] && length(aws_eks_node_group.general.taint) == 0
    error_message = "Only what tolerates it goes to spot."
  }

  assert {
    condition     = aws_eks_cluster.this.version == aws_eks_node_group.general.version && aws_eks_cluster.this.version == aws_eks_node_group.spot.version
    error_message = "One version."
  }
}

run "pods_do_not_reach_the_nodes_credentials" {
  command = plan

  assert {
    condition     = one(aws_launch_template.node.metadata_options).http_tokens == "required" && one(aws_launch_template.node.metadata_options).http_put_response_hop_limit == 1
    error_message = "IMDSv2, one hop."
  }

  assert {
    condition     = one(one(aws_launch_template.node.block_device_mappings).ebs).encrypted == "true"
    error_message = "Encrypted disks."
  }

  assert {
    condition     = keys(aws_iam_role_policy_attachment.node) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    error_message = "Join and pull."
  }
}

run "the_network_enforces_policies" {
  command = plan

  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values) == { enableNetworkPolicy = "true" }
    error_message = "Without it NetworkPolicies are words."
  }

  assert {
    condition     = setunion(keys(aws_eks_addon.before_nodes), keys(aws_eks_addon.on_nodes)) == toset(["vpc-cni", "kube-proxy", "coredns", "metrics-server", "aws-ebs-csi-driver"])
    error_message = "Five add-ons."
  }
}

run "versions_out_of_support_are_refused" {
  command = plan

  variables {
    kubernetes_version = "1.28"
  }

  expect_failures = [var.kubernetes_version]
}

run "the_world_does_not_reach_the_api_server" {
  command = plan

  variables {
    api_allowed_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.api_allowed_cidrs]
}

run "both_groups_stay_within_twenty_nodes" {
  command = plan

  variables {
    general = { min = 3, max = 16, instance_types = ["t3.large"] }
  }

  expect_failures = [var.spot]
}

run "a_minimum_above_the_maximum_is_refused" {
  command = plan

  variables {
    general = { min = 4, max = 3, instance_types = ["t3.large"] }
  }

  expect_failures = [var.general]
}

run "two_zones_are_not_enough" {
  command = plan

  variables {
    private_subnet_ids = ["subnet-a", "subnet-b"]
  }

  expect_failures = [var.private_subnet_ids]
}

run "a_cluster_without_administrators_is_refused" {
  command = plan

  variables {
    admin_role_arns = []
  }

  expect_failures = [var.admin_role_arns]
}
