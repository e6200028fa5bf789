variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "account_id" {
  description = "The account of AWS."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes; the document's 1.28 is no longer offered (decision 12)."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[4-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "Standard support of EKS has ended for versions before 1.34; name a minor version such as 1.35."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "private_subnet_ids" {
  description = "Where nodes and pods live, one subnet in each zone."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 3
    error_message = "Nodes have to be spread over three zones."
  }
}

variable "api_allowed_cidrs" {
  description = "Addresses outside the VPC that reach the API server, such as Jenkins'; none: only the VPC does."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_allowed_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 24, false)])
    error_message = "Name networks of at most 256 addresses (/24); the API server is not for everybody."
  }
}

variable "admin_role_arns" {
  description = "Roles of people who administer the cluster. Whoever makes it gets no rights by that."
  type        = set(string)

  validation {
    condition     = length(var.admin_role_arns) > 0
    error_message = "A cluster that nobody may enter cannot be used: name a role."
  }
}

variable "deployer_role_arns" {
  description = "Roles that bring releases; they enter as the group ecommerce-deployers."
  type        = set(string)
  default     = []
}

variable "general" {
  description = "The group for everything that serves shoppers."
  type        = object({ min = number, max = number, instance_types = list(string) })
  default     = { min = 3, max = 10, instance_types = ["t3.large"] }

  validation {
    condition     = var.general.min >= 1 && var.general.max >= var.general.min
    error_message = "At least one node, and no maximum below the minimum."
  }
}

variable "spot" {
  description = "The group for work that may be interrupted."
  type        = object({ min = number, max = number, instance_types = list(string) })
  default     = { min = 1, max = 5, instance_types = ["t3.large", "t3a.large"] }

  validation {
    condition     = var.spot.min >= 0 && var.spot.max >= var.spot.min && var.general.max + var.spot.max <= 20
    error_message = "No maximum below the minimum; both groups together stay within the autoscaler's 20 nodes."
  }
}

variable "node_disk_gb" {
  description = "Disk of each node: images, logs on their way, emptyDir."
  type        = number
  default     = 50
}

variable "deletion_protection" {
  description = "Whether the cluster cannot be deleted before this is taken away."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of the machines and their disks: those of the provider do not reach what a template starts."
  type        = map(string)
  default     = {}
}
