variable "environment" {
  description = "Name of the environment; namespace, secrets and roles carry it."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "An environment is dev, staging or production."
  }
}

variable "account_id" {
  description = "The account of AWS."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account of AWS is twelve digits."
  }
}

variable "region" {
  description = "The region; CloudFront takes its certificate from us-east-1."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = var.region == "us-east-1"
    error_message = "The certificate of the pictures has to be in us-east-1, and so is the shop."
  }
}

variable "backup_region" {
  description = "Region with a copy of database, files and secrets, for the day that ours is lost; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.backup_region != var.region
    error_message = "A copy in the same region is lost with it."
  }
}

variable "host" {
  description = "Public name of the shop."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.host))
    error_message = "A host name such as shop.example.com."
  }
}

variable "dns_zone_id" {
  description = "Hosted zone of Route 53 that the host is in."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.35"
}

variable "postgresql_version" {
  description = "Major version of PostgreSQL."
  type        = string
  default     = "15"
}

variable "nat_in_each_zone" {
  description = "A NAT gateway in each zone."
  type        = bool
}

variable "interface_endpoints" {
  description = "Services reached inside the VPC instead of through NAT."
  type        = set(string)
  default     = []
}

variable "api_allowed_cidrs" {
  description = "Addresses outside the VPC that reach the API server, such as Jenkins'."
  type        = set(string)
  default     = []
}

variable "admin_role_arns" {
  description = "Roles of people who administer the cluster."
  type        = set(string)
}

variable "pipeline_role_arn" {
  description = "The pipeline's role; null where it does not deploy."
  type        = string
  default     = null
}

variable "general_nodes" {
  description = "The group for everything that serves shoppers."
  type        = object({ min = number, max = number, instance_types = list(string) })
  default     = { min = 3, max = 10, instance_types = ["t3.large"] }
}

variable "spot_nodes" {
  description = "The group for work that may be interrupted."
  type        = object({ min = number, max = number, instance_types = list(string) })
  default     = { min = 1, max = 5, instance_types = ["t3.large", "t3a.large"] }
}

variable "database" {
  description = "Size and safety of PostgreSQL."
  type = object({
    instance_class = string
    multi_az       = bool
    backup_days    = number
    storage_gb     = optional(object({ initial = number, largest = number }), { initial = 100, largest = 500 })
  })

  validation {
    condition     = var.environment != "production" || (var.database.multi_az && var.database.backup_days >= 14)
    error_message = "Production has a second database machine and at least 14 days of backups."
  }
}

variable "cache" {
  description = "Size of the cache."
  type        = object({ node_type = string, replicas = number })
}

variable "broker" {
  description = "Size of the broker."
  type        = object({ node_type = string, replicas = number })

  validation {
    condition     = var.environment != "production" || (var.broker.replicas > 0 && var.cache.replicas > 0)
    error_message = "In production cache and broker have a replica that takes over."
  }
}

variable "redis_token_version" {
  description = "Raise it to change the tokens of cache and broker."
  type        = number
  default     = 1
}

variable "requests_in_5_minutes" {
  description = "What one address may ask for in five minutes before it is refused."
  type        = number
  default     = 2000
}

variable "deletion_protection" {
  description = "Whether database and cluster cannot be deleted before this is taken away."
  type        = bool
  default     = true

  validation {
    condition     = var.environment != "production" || var.deletion_protection
    error_message = "Production is not deleted by one command."
  }
}

variable "monthly_budget" {
  description = "Dollars a month; mail is sent at 80 % spent and when the forecast is above it."
  type        = number
}

variable "alarm_emails" {
  description = "Who gets alarms and news of the budget."
  type        = set(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "An alarm that nobody gets is none."
  }
}

variable "tags" {
  description = "Tags that the provider puts on everything, for machines that a template starts."
  type        = map(string)
}
