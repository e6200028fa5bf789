variable "name" {
  description = "Name of the instance."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.name))
    error_message = "The name of an instance begins with a letter and has lower-case letters, digits and hyphens."
  }
}

variable "account_id" {
  description = "The account of AWS."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "engine_version" {
  description = "Major version of PostgreSQL; RDS takes its newest minor one. The document's 15.4 is no longer offered (decision 12)."
  type        = string
  default     = "15"

  validation {
    condition     = contains(["15", "16", "17"], var.engine_version)
    error_message = "Name a major version that the shop is tested for: 15, 16 or 17. RDS withdraws minor versions."
  }
}

variable "instance_class" {
  description = "Size of the machine."
  type        = string

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "The class of an instance looks like db.r6g.xlarge."
  }
}

variable "storage_gb" {
  description = "Disk at first, and how far it may grow by itself."
  type        = object({ initial = number, largest = number })
  default     = { initial = 100, largest = 500 }

  validation {
    condition     = var.storage_gb.initial >= 20 && var.storage_gb.largest > var.storage_gb.initial
    error_message = "20 GB at least, and room to grow."
  }
}

variable "multi_az" {
  description = "A second machine in another zone that takes over by itself."
  type        = bool
}

variable "backup_days" {
  description = "How far back any second can be restored."
  type        = number

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 30
    error_message = "Backups are kept for 7 to 30 days."
  }
}

variable "backup_region" {
  description = "Another region, and the key there, that holds a copy of backups and secret; null for none."
  type        = object({ name = string, key_arn = string })
  default     = null
}

variable "deletion_protection" {
  description = "Whether the instance cannot be deleted before this is taken away."
  type        = bool
  default     = true
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the database, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS wants subnets in two zones at least."
  }
}

variable "function_subnet_ids" {
  description = "Subnets, with a way to Secrets Manager, of the function that changes the login."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Security groups that may connect, by what they are."
  type        = map(string)
}

variable "key_arn" {
  description = "KMS key for disk, backups, logs and secrets."
  type        = string
}

variable "secret_name" {
  description = "Name of the secret with the shop's login."
  type        = string
}
