variable "name" {
  description = "Alias of the key, without \"alias/\"."
  type        = string
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who uses the key."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account of AWS is twelve digits."
  }
}

variable "services" {
  description = "Services of AWS that use the key on their own, and the condition each is held to."
  type        = map(object({ test = string, key = string, value = string }))
  default     = {}
}

variable "replica_region" {
  description = "Another region that needs the key; null for none."
  type        = string
  default     = null
}
