variable "name" {
  description = "What the VPC and all in it are called; the cluster has the same name."
  type        = string
}

variable "region" {
  description = "The region; its zones a, b and c are used."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC. Network policies of the cluster name parts of 10.0.0.0/16."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "The addresses are cut into /19 and /20: give a /16."
  }
}

variable "nat_in_each_zone" {
  description = "A NAT gateway in each zone, so that a lost zone takes no other with it; otherwise one for all."
  type        = bool
}

variable "interface_endpoints" {
  description = "Services reached inside the VPC instead of through NAT, each 22 dollars a month; see decision 10."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.interface_endpoints, ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"])) == 0
    error_message = "Known endpoints are ecr.api, ecr.dkr, logs, secretsmanager and sts; S3 has one always."
  }
}

variable "flow_logs_bucket_arn" {
  description = "Bucket that keeps who talked to whom."
  type        = string
}
