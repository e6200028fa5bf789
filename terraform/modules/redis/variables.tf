variable "name" {
  description = "Name of the replication group."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "The name begins with a letter and has at most 40 lower-case letters, digits and hyphens."
  }
}

variable "description" {
  description = "What it is for."
  type        = string
}

variable "engine_version" {
  description = "Version of Redis."
  type        = string
  default     = "7.1"

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.engine_version))
    error_message = "The shop is built for Redis 7."
  }
}

variable "node_type" {
  description = "Size of each machine."
  type        = string

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "A type of node looks like cache.r6g.large."
  }
}

variable "replicas" {
  description = "Copies in other zones, one of which takes over by itself; 0 for a single machine."
  type        = number

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 2
    error_message = "There are three zones: at most two replicas."
  }
}

variable "when_full" {
  description = "What Redis does when memory is full: a cache forgets, a broker refuses."
  type        = string

  validation {
    condition     = contains(["allkeys-lru", "noeviction"], var.when_full)
    error_message = "A cache has allkeys-lru, a broker noeviction."
  }
}

variable "snapshot_days" {
  description = "How long daily snapshots are kept; 0 for none."
  type        = number
  default     = 0
}

variable "token_version" {
  description = "Raise it to change the token; the former one stays good until the next change."
  type        = number
  default     = 1
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets, one in each zone."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Security groups that may connect, by what they are."
  type        = map(string)
}

variable "key_arn" {
  description = "KMS key for disk and snapshots."
  type        = string
}
